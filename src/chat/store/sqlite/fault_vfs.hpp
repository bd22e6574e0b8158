// For tests: SQLite's file layer with a broken disk under it. It passes everything on to the system's own and counts what would
// change the disk; at the operation asked for it fails, and it can tell what a machine that lost its power there would find.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace payam::chat::sqlite {

class FaultVfs {
 public:
  enum class Fault {
    error_once,   // this operation fails, the next ones are well
    torn_once,    // likewise, but half of what was to be written is
    disk_broken,  // this and every later one fails
    disk_full,    // likewise, as a full disk does: what is there can be synced
  };

  FaultVfs();
  ~FaultVfs();  // every database opened through it is closed
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const char* name() const { return name_.c_str(); }

  // The `operation`-th write, sync or truncation from now on, from 1, fails in this way.
  void fail_at(std::int64_t operation, Fault fault);
  // Calls `action` before the `operation`-th from now on, from 1.
  void call_at(std::int64_t operation, std::function<void()> action);
  void repair();
  // Since the last of the three.
  std::int64_t operations() const;

  // Writes to `folder` what the disk may hold if the power goes now: of all that was not synced some is there, some is half
  // there, some is not, as `seed` has it. May be called from the action.
  void lose_power(const std::filesystem::path& folder, unsigned seed) const;

 private:
  friend struct FaultFile;
  friend struct FaultMethods;

  struct Write {
    std::int64_t offset = 0;  // or the new length, for a truncation
    std::string data;
    bool truncation = false;
  };
  struct File {
    std::string synced;  // the content as of the last sync
    std::vector<Write> since_then;
  };
  enum class Verdict { well, error, torn, full };

  static void apply(std::string& content, const Write& write);
  Verdict count(bool is_sync);

  std::string name_;
  sqlite3_vfs* system_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  mutable std::recursive_mutex mutex_;
  std::map<std::string, File> files_;  // by path
  std::int64_t operations_ = 0;
  std::int64_t at_ = 0;  // 0: never
  Fault fault_ = Fault::error_once;
  std::function<void()> action_;
};

}  // namespace payam::chat::sqlite
