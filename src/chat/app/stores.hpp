// Which implementations the options choose.
#pragma once

#include <memory>

#include "base/disk_reserve.hpp"
#include "chat/app/options.hpp"
#include "chat/media/media_store.hpp"
#include "chat/store/mongo/client.hpp"
#include "chat/store/store.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {

// Null unless options.on_mongodb(). Connects when first used; throws std::runtime_error with a line for the operator if the URL
// is none. It outlives what is opened on it.
std::unique_ptr<mongo::Client> open_database(const Options& options);

// Both block, and throw std::runtime_error with a line for the operator, mongo::Outage if the database is away. `database` is
// what open_database() gave; `pool` does what touches the disk; `disk` is data_dir's. All outlive what is opened.
std::unique_ptr<Store> open_store(const Options& options, mongo::Client* database, DiskReserve& disk);
std::unique_ptr<MediaStore> open_media(const Options& options, mongo::Client* database, WorkerPool& pool);

}  // namespace payam::chat
