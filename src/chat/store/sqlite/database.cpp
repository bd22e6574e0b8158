#include "chat/store/sqlite/database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/descriptor.hpp"
#include "runtime/system_fault.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat::sqlite {
namespace {

// The file is made here, as SQLite would make it readable for others; what lies beside it gets its mode. Those that an earlier
// version made are mended. Only where there is none is a file opened: closing one would end SQLite's locks on it.
void make_private(const std::string& path) {
  const Descriptor made(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.is_open()) return;
  for (const char* suffix : {"", "-wal", "-shm"}) ::chmod((path + suffix).c_str(), 0600);  // another's file stays as it is
}

// SQLite keeps the errno of the last I/O error it met, also while the errors after it are of another kind.
int system_error(sqlite3* handle) {
  const int primary = sqlite3_errcode(handle) & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? sqlite3_system_errno(handle) : 0;
}

}  // namespace

bool SqliteError::is_about_the_statement() const {
  const int primary = code_ & 0xff;
  return primary == SQLITE_CONSTRAINT || primary == SQLITE_TOOBIG || primary == SQLITE_MISMATCH;
}

bool SqliteError::is_out_of_space() const { return (code_ & 0xff) == SQLITE_FULL || payam::is_out_of_space(system_error_); }

void SqliteError::throw_to_caller() const {
  if (is_out_of_space()) throw OutOfStorage(what());
  if ((code_ & 0xff) == SQLITE_NOMEM || is_out_of_resources(system_error_)) throw Unavailable(what());
  throw SqliteError(*this);
}

std::exception_ptr for_caller(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const SqliteError& fault) {
    try {
      fault.throw_to_caller();
    } catch (...) {
      return std::current_exception();
    }
  } catch (...) {
    return error;
  }
}

Statement::~Statement() {
  if (handle_ != nullptr) database_.give_back(handle_);
}

bool Statement::step() {
  switch (sqlite3_step(handle_)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default: database_.fail(sqlite3_sql(handle_));
  }
}

void Statement::bind_integer(int index, std::int64_t value) {
  if (sqlite3_bind_int64(handle_, index, value) != SQLITE_OK) database_.fail("bind");
}

void Statement::bind_text(int index, std::string_view value, Lifetime lifetime) {
  const char* data = value.data() != nullptr ? value.data() : "";
  const auto destructor = lifetime == Lifetime::held ? SQLITE_STATIC : SQLITE_TRANSIENT;
  if (sqlite3_bind_text64(handle_, index, data, value.size(), destructor, SQLITE_UTF8) != SQLITE_OK) database_.fail("bind");
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (data == nullptr) return {};
  return std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

Database::Database(const Options& options) {
  // Counting its memory takes a lock that all connections share. Refused once SQLite is in use, which is as well.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  if (!options.read_only && options.path != ":memory:") make_private(options.path);
  const int flags = (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(options.path.c_str(), &handle_, flags, options.vfs) != SQLITE_OK) {
    const SqliteError error(sqlite3_extended_errcode(handle_), system_error(handle_),
                            fmt::format("cannot open {}: {}", options.path, sqlite3_errmsg(handle_)));
    sqlite3_close(handle_);
    throw error;
  }
  // Only moments count here: another connection that recovers the log after a crash, or a checkpoint.
  sqlite3_busy_timeout(handle_, 10'000);
}

Database::~Database() {
  for (auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

std::int64_t Database::last_insert_key() const { return sqlite3_last_insert_rowid(handle_); }

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }

void Database::fail(std::string_view doing) const {
  throw SqliteError(
      sqlite3_extended_errcode(handle_), system_error(handle_),
      fmt::format("database: {} ({}) in {:.60}", sqlite3_errmsg(handle_), sqlite3_extended_errcode(handle_), doing));
}

Statement Database::prepare(std::string_view sql) {
  if (auto node = idle_.extract(sql)) return Statement(*this, node.mapped());
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK) {
    fail(sql);
  }
  return Statement(*this, statement);
}

void Database::give_back(sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);  // repeats step()'s error, which was reported
  sqlite3_clear_bindings(statement);
  // Two at once of the same text happen when a query is run while another one of its kind is open.
  if (!idle_.emplace(sqlite3_sql(statement), statement).second) sqlite3_finalize(statement);
}

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // After some errors SQLite has rolled back already.
  if (database_.in_transaction()) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() { database_.run("COMMIT"); }

Interruption::Interruption(Database& database, std::function<bool()> is_over)
    : database_(database), is_over_(std::move(is_over)) {
  constexpr int kSteps = 500;  // some ten microseconds
  const auto ask = [](void* self) {
    auto& one = *static_cast<Interruption*>(self);
    one.happened_ = one.happened_ || one.is_over_();
    return one.happened_ ? 1 : 0;
  };
  sqlite3_progress_handler(database_.handle(), kSteps, ask, this);
}

Interruption::~Interruption() { sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr); }

Savepoint::Savepoint(Database& database) : database_(database) { database_.run("SAVEPOINT change"); }

Savepoint::~Savepoint() {
  if (kept_ || !database_.in_transaction()) return;
  sqlite3_exec(database_.handle(), "ROLLBACK TO change; RELEASE change", nullptr, nullptr, nullptr);
}

void Savepoint::keep() {
  database_.run("RELEASE change");
  kept_ = true;
}

}  // namespace payam::chat::sqlite
