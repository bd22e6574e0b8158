#include "chat/store/sqlite/reader_pool.hpp"

namespace payam::chat::sqlite {

ReaderPool::ReaderPool(const Options& options, StoreMeters& meters)
    : meters_(meters), pool_("the database", options.threads, options.queue_limit) {
  for (int i = 0; i < options.threads; ++i) {
    auto database = std::make_unique<Database>(Database::Options{options.path, true, options.vfs});
    database->execute("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF");
    if (!options.attached.empty()) database->run("ATTACH ? AS attached", options.attached);
    idle_.push_back(std::move(database));
  }
}

ReaderPool::Lease::Lease(ReaderPool& pool) : pool(pool) {
  const std::lock_guard lock(pool.mutex_);
  database = std::move(pool.idle_.back());
  pool.idle_.pop_back();
}

ReaderPool::Lease::~Lease() {
  const std::lock_guard lock(pool.mutex_);
  pool.idle_.push_back(std::move(database));
}

}  // namespace payam::chat::sqlite
