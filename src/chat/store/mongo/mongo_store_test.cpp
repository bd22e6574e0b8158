// The store's contract on MongoDB.
#include "chat/store/mongo/mongo_store.hpp"

#include <gtest/gtest.h>

#include "chat/store/contract/store_contract.hpp"
#include "chat/store/mongo/test_server.hpp"

namespace payam::chat {
namespace {

using mongo::TestServer;

MongoOptions options_for(std::string url, std::string database) {
  return {.client = {.url = std::move(url), .database = std::move(database), .threads = 4}};
}

class MongoHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override { return open_mongo_store(options_for(TestServer::shared().url(), database_)); }
  bool keeps_data() const override { return true; }

 private:
  const std::string database_ = TestServer::new_database();
};

INSTANTIATE_TEST_SUITE_P(Mongo, StoreContract, testing::Values(StoreKind{"One", [] { return std::make_unique<MongoHost>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace payam::chat
