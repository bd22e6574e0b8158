#include "chat/app/stores.hpp"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

#include "chat/app/migrate.hpp"
#include "chat/media/gridfs_media.hpp"
#include "chat/media/media_files.hpp"
#include "chat/store/mongo/mongo_store.hpp"
#include "chat/store/mongo/schema.hpp"
#include "chat/store/sqlite/sqlite_store.hpp"

namespace payam::chat {

namespace {

mongo::Client::Options client_options(const Options& options) {
  return {.url = options.database_url, .database = options.database_name};
}

// RATE_LIMITS=off: one person may fill the queue.
WaitingChanges::Limits queue_limits(const Options& options) {
  WaitingChanges::Limits limits;
  if (!options.limits.rates) {
    limits.persons_changes = limits.changes;
    limits.persons_bytes = limits.bytes;
  }
  return limits;
}

// The original service has collections of the same names, of another shape.
void refuse_foreign(mongo::Client& database) {
  auto connection = database.connect();
  if (connection.find_one("chat_rooms", mongo::doc()) && !connection.find_one(mongo::kLog, mongo::doc())) {
    throw std::runtime_error(fmt::format(
        "the database {} is the original chat service's: give another name, and copy what is in it with `payam migrate "
        "--from-chat-service`",
        database.database()));
  }
}

void refuse_half_copied(bool unfinished) {
  if (unfinished)
    throw std::runtime_error("a copy into this store is not finished: run `payam migrate` again, with the same ends");
}

}  // namespace

std::unique_ptr<mongo::Client> open_database(const Options& options) {
  if (!options.on_mongodb()) return nullptr;
  return std::make_unique<mongo::Client>(client_options(options));
}

std::unique_ptr<Store> open_store(const Options& options, mongo::Client* database, DiskReserve& disk) {
  const auto& reads = options.limits.holding.reads;
  if (database != nullptr) {
    refuse_foreign(*database);
    refuse_half_copied(database->connect().find_one(kUnfinishedMigration, mongo::doc()).has_value());
    return open_mongo_store(
        {.client = client_options(options), .writer_queue = queue_limits(options), .calls_a_user = reads.user});
  }
  refuse_half_copied(std::filesystem::exists(options.data_dir / kUnfinishedMigration));
  return open_sqlite_store({.path = options.data_dir / "payam.db",
                            .reader_queue = reads.total,
                            .reads_a_user = reads.user,
                            .writer_queue = queue_limits(options),
                            .reserve = &disk});
}

std::unique_ptr<MediaStore> open_media(const Options& options, mongo::Client* database, WorkerPool& pool) {
  if (options.media_store == MediaKind::gridfs) return std::make_unique<GridfsMedia>(*database);
  return std::make_unique<MediaFiles>(options.data_dir / "media", pool);
}

}  // namespace payam::chat
