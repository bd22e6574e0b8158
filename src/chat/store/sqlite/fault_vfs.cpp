#include "chat/store/sqlite/fault_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <utility>

namespace payam::chat::sqlite {

// SQLite allocates it, the system's own file behind it.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* owner;
  FaultVfs::File* state;  // null for temporary files
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods& methods() { return *real()->pMethods; }
};

struct FaultMethods {
  static FaultFile& self(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }

  static int close(sqlite3_file* file) { return self(file).methods().xClose(self(file).real()); }
  static int read(sqlite3_file* file, void* to, int length, sqlite3_int64 offset) {
    return self(file).methods().xRead(self(file).real(), to, length, offset);
  }
  static int write(sqlite3_file* file, const void* data, int length, sqlite3_int64 offset) {
    FaultFile& mine = self(file);
    if (mine.state == nullptr) return mine.methods().xWrite(mine.real(), data, length, offset);
    const std::lock_guard lock(mine.owner->mutex_);
    const auto verdict = mine.owner->count(false);
    if (verdict == FaultVfs::Verdict::error) return SQLITE_IOERR_WRITE;
    if (verdict == FaultVfs::Verdict::full) return SQLITE_FULL;
    if (verdict == FaultVfs::Verdict::torn) length /= 2;
    mine.state->since_then.push_back(
        {offset, std::string(static_cast<const char*>(data), static_cast<std::size_t>(length)), false});
    const int code = mine.methods().xWrite(mine.real(), data, length, offset);
    return verdict == FaultVfs::Verdict::torn ? SQLITE_IOERR_WRITE : code;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 length) {
    FaultFile& mine = self(file);
    if (mine.state == nullptr) return mine.methods().xTruncate(mine.real(), length);
    const std::lock_guard lock(mine.owner->mutex_);
    const auto verdict = mine.owner->count(false);
    if (verdict != FaultVfs::Verdict::well && verdict != FaultVfs::Verdict::full) return SQLITE_IOERR_TRUNCATE;
    mine.state->since_then.push_back({length, {}, true});
    return mine.methods().xTruncate(mine.real(), length);
  }
  // The system's sync is left out: only what lose_power() finds depends on it.
  static int sync(sqlite3_file* file, int) {
    FaultFile& mine = self(file);
    if (mine.state == nullptr) return SQLITE_OK;
    const std::lock_guard lock(mine.owner->mutex_);
    const auto verdict = mine.owner->count(true);
    if (verdict != FaultVfs::Verdict::well && verdict != FaultVfs::Verdict::full) {
      // As Linux has it: what could not be written is taken for clean afterwards, so that no later sync writes it.
      mine.state->since_then.clear();
      return SQLITE_IOERR_FSYNC;
    }
    for (const auto& write : mine.state->since_then) FaultVfs::apply(mine.state->synced, write);
    mine.state->since_then.clear();
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return self(file).methods().xFileSize(self(file).real(), size);
  }
  static int lock(sqlite3_file* file, int level) { return self(file).methods().xLock(self(file).real(), level); }
  static int unlock(sqlite3_file* file, int level) { return self(file).methods().xUnlock(self(file).real(), level); }
  static int check_reserved_lock(sqlite3_file* file, int* result) {
    return self(file).methods().xCheckReservedLock(self(file).real(), result);
  }
  static int file_control(sqlite3_file* file, int operation, void* argument) {
    return self(file).methods().xFileControl(self(file).real(), operation, argument);
  }
  static int sector_size(sqlite3_file* file) { return self(file).methods().xSectorSize(self(file).real()); }
  static int device_characteristics(sqlite3_file* file) {
    return self(file).methods().xDeviceCharacteristics(self(file).real());
  }
  static int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
    return self(file).methods().xShmMap(self(file).real(), region, size, extend, memory);
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return self(file).methods().xShmLock(self(file).real(), offset, count, flags);
  }
  static void shm_barrier(sqlite3_file* file) { self(file).methods().xShmBarrier(self(file).real()); }
  static int shm_unmap(sqlite3_file* file, int remove) { return self(file).methods().xShmUnmap(self(file).real(), remove); }

  static FaultVfs& owner(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    static constexpr sqlite3_io_methods kMethods = {2,
                                                    close,
                                                    read,
                                                    write,
                                                    truncate,
                                                    sync,
                                                    file_size,
                                                    lock,
                                                    unlock,
                                                    check_reserved_lock,
                                                    file_control,
                                                    sector_size,
                                                    device_characteristics,
                                                    shm_map,
                                                    shm_lock,
                                                    shm_barrier,
                                                    shm_unmap,
                                                    nullptr,
                                                    nullptr};
    FaultVfs& faults = owner(vfs);
    FaultFile& mine = self(file);
    mine.base.pMethods = nullptr;
    mine.owner = &faults;
    const int code = faults.system_->xOpen(faults.system_, path, mine.real(), flags, out_flags);
    if (mine.real()->pMethods == nullptr) return code;
    mine.base.pMethods = &kMethods;
    mine.state = nullptr;
    if (path != nullptr) {
      const std::lock_guard guard(faults.mutex_);
      mine.state = &faults.files_[path];
    }
    return code;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    FaultVfs& faults = owner(vfs);
    const std::lock_guard guard(faults.mutex_);
    if (const auto found = faults.files_.find(path); found != faults.files_.end()) found->second = {};
    return faults.system_->xDelete(faults.system_, path, sync_folder);
  }
};

FaultVfs::FaultVfs() : system_(sqlite3_vfs_find(nullptr)), vfs_(std::make_unique<sqlite3_vfs>(*system_)) {
  static int number = 0;
  name_ = "payam-faults-" + std::to_string(++number);
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->szOsFile = static_cast<int>(sizeof(FaultFile)) + system_->szOsFile;
  vfs_->xOpen = FaultMethods::open;
  vfs_->xDelete = FaultMethods::remove;
  sqlite3_vfs_register(vfs_.get(), 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(vfs_.get()); }

void FaultVfs::fail_at(std::int64_t operation, Fault fault) {
  const std::lock_guard lock(mutex_);
  operations_ = 0;
  at_ = operation;
  fault_ = fault;
  action_ = nullptr;
}

void FaultVfs::call_at(std::int64_t operation, std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  operations_ = 0;
  at_ = operation;
  action_ = std::move(action);
}

void FaultVfs::repair() {
  const std::lock_guard lock(mutex_);
  operations_ = 0;
  at_ = 0;
  action_ = nullptr;
}

std::int64_t FaultVfs::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

FaultVfs::Verdict FaultVfs::count(bool is_sync) {
  ++operations_;
  if (at_ == 0 || operations_ < at_) return Verdict::well;
  if (action_) {
    at_ = 0;
    std::exchange(action_, nullptr)();
    return Verdict::well;
  }
  switch (fault_) {
    case Fault::error_once: at_ = 0; return Verdict::error;
    case Fault::torn_once: at_ = 0; return is_sync ? Verdict::error : Verdict::torn;
    case Fault::disk_broken: return Verdict::error;
    case Fault::disk_full: return Verdict::full;
  }
  return Verdict::error;
}

void FaultVfs::apply(std::string& content, const Write& write) {
  const auto offset = static_cast<std::size_t>(write.offset);
  if (write.truncation) {
    if (offset < content.size()) content.resize(offset);
    return;
  }
  if (content.size() < offset + write.data.size()) content.resize(offset + write.data.size());
  std::memcpy(content.data() + offset, write.data.data(), write.data.size());
}

void FaultVfs::lose_power(const std::filesystem::path& folder, unsigned seed) const {
  const std::lock_guard lock(mutex_);
  std::mt19937 random(seed);
  for (const auto& [path, file] : files_) {
    std::string content = file.synced;
    for (Write write : file.since_then) {
      switch (random() % 3) {
        case 0: continue;
        case 1: write.data.resize(write.data.size() / 2); break;
        default: break;
      }
      apply(content, write);
    }
    if (content.empty()) continue;
    std::ofstream(folder / std::filesystem::path(path).filename(), std::ios::binary) << content;
  }
}

}  // namespace payam::chat::sqlite
