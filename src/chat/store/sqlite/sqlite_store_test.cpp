// The store's contract on SQLite, in a file and in memory, and what is SQLite's alone.
#include "chat/store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>

#include "chat/store/contract/store_contract.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"

namespace payam::chat {
namespace {

class FileHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override { return open_sqlite_store({.path = folder_.path() / "payam.db"}); }
  bool keeps_data() const override { return true; }

 private:
  TemporaryFolder folder_;
};

class MemoryHost final : public StoreHost {
 public:
  std::unique_ptr<Store> open() override { return open_sqlite_store({.path = ":memory:"}); }
  bool keeps_data() const override { return false; }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         testing::Values(StoreKind{"File", [] { return std::make_unique<FileHost>(); }},
                                         StoreKind{"Memory", [] { return std::make_unique<MemoryHost>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace payam::chat
