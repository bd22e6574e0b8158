// The embedded store: one file, one writer thread, a few readers. Nothing to install, nothing to run beside it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/disk_reserve.hpp"
#include "chat/store/store.hpp"
#include "chat/store/waiting_changes.hpp"

namespace payam::chat {

struct SqliteOptions {
  std::filesystem::path path;  // of the database file, whose folder exists; ":memory:" lives as long as the store
  int readers = 2;             // threads and connections
  std::size_t reader_queue = 20'000;
  std::size_t reads_a_user = 200;  // that wait; one more is refused
  int searchers = 2;               // threads and connections that search
  SearchEffort search_effort{};
  Millis search_patience{5'000};  // until a search has its turn
  WaitingChanges::Limits writer_queue = {};
  std::size_t checkpoint_pages = 4'000;  // of log, 4 KiB each, until they are copied into the database file
  std::size_t cache_entries = 200'000;   // rooms, memberships and users each that the writer keeps in memory
  DiskReserve* reserve = nullptr;        // null: none; it outlives the store
  const char* vfs = nullptr;             // SQLite's file layer by name; tests put faults there
};

// Opens and, where needed, creates or migrates. Throws std::runtime_error with a text for the operator. Whoever waits for the
// store must have been answered before its end.
std::unique_ptr<Store> open_sqlite_store(const SqliteOptions& options);

}  // namespace payam::chat
