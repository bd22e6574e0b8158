// SQLite's C handles, owned. One connection is used by one thread at a time; every call is checked, and what fails throws.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/strong.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace payam::chat::sqlite {

class SqliteError : public std::runtime_error {
 public:
  // `system_error`: the errno behind it, 0 if there is none.
  SqliteError(int extended_code, int system_error, const std::string& what)
      : std::runtime_error(what), code_(extended_code), system_error_(system_error) {}

  int code() const { return code_; }  // extended result code
  // The statement did not fit the data (a double key, too long a value); the connection and its transaction are well.
  bool is_about_the_statement() const;
  // The disk has no space left; what is on it is well.
  bool is_out_of_space() const;

  // Throws what a caller of the store gets instead: OutOfStorage, Unavailable where something lacked for a moment, or this.
  [[noreturn]] void throw_to_caller() const;

 private:
  int code_;
  int system_error_;
};

// What SqliteError::throw_to_caller() throws; any other exception as it is.
std::exception_ptr for_caller(std::exception_ptr error);

class Database;

// A prepared statement, lent by its Database and given back, reset, at the end of its life.
class Statement {
 public:
  Statement(Statement&& other) noexcept : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}
  ~Statement();

  // True when there is a row. Columns count from 0 and stay valid until the next step.
  bool step();

  // T: an integer, bool, enum, std::string, Id, Counter, Timestamp, or std::optional of one (nullopt for NULL).
  template <class T>
  T get(int column) const;

 private:
  friend class Database;
  enum class Lifetime { copied, held };  // of bound text: copied, or alive until the statement is done

  Statement(Database& database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}

  template <class T>
  void bind(int index, const T& value, Lifetime lifetime);
  void bind_integer(int index, std::int64_t value);
  void bind_text(int index, std::string_view value, Lifetime lifetime);
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

  Database& database_;
  sqlite3_stmt* handle_;
};

class Database {
 public:
  struct Options {
    std::string path;           // or ":memory:"
    bool read_only = false;     // also never creates the file
    const char* vfs = nullptr;  // the system's own
  };
  explicit Database(const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // For texts with rows or with parameters `?`; statements are kept prepared, so `sql` should be one of a fixed set of texts.
  template <class... Values>
  Statement query(std::string_view sql, const Values&... values) {
    Statement statement = prepare(sql);
    int index = 0;
    (statement.bind(++index, values, Statement::Lifetime::copied), ...);
    return statement;
  }
  // Runs to its end, rows ignored; returns how many rows were changed.
  template <class... Values>
  std::int64_t run(std::string_view sql, const Values&... values) {
    Statement statement = prepare(sql);
    int index = 0;
    (statement.bind(++index, values, Statement::Lifetime::held), ...);
    while (statement.step()) {
    }
    return changes();
  }
  // Several statements without parameters, not kept.
  void execute(const std::string& sql);

  bool in_transaction() const;
  std::int64_t last_insert_key() const;
  sqlite3* handle() { return handle_; }

  [[noreturn]] void fail(std::string_view doing) const;

 private:
  friend class Statement;

  Statement prepare(std::string_view sql);
  void give_back(sqlite3_stmt* statement) noexcept;
  std::int64_t changes() const;

  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string_view, sqlite3_stmt*> idle_;  // keys point into the statements' own text
};

// BEGIN … COMMIT; rolls back at the end of its life unless committed. A failed commit() leaves the rolling back to that.
class Transaction {
 public:
  enum class Kind { read, write };  // read: a snapshot, taken at the first query; write: the lock is taken at once
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
};

// While it lives, whatever the connection runs fails once `is_over`, which is asked now and then on the way.
class Interruption {
 public:
  Interruption(Database& database, std::function<bool()> is_over);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  bool happened() const { return happened_; }

 private:
  Database& database_;
  const std::function<bool()> is_over_;
  bool happened_ = false;
};

// A change within a transaction that can be undone alone; undone at the end of its life unless kept.
class Savepoint {
 public:
  explicit Savepoint(Database& database);
  ~Savepoint();
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;

  void keep();

 private:
  Database& database_;
  bool kept_ = false;
};

template <class T>
void Statement::bind(int index, const T& value, Lifetime lifetime) {
  if constexpr (is_optional<T>) {
    if (value) bind(index, *value, lifetime);  // what is not bound is NULL
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    bind_integer(index, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    bind_integer(index, value.time_since_epoch().count());
  } else if constexpr (is_counter<T>) {
    bind_integer(index, value.value);
  } else if constexpr (is_id<T>) {
    bind_text(index, value.str(), lifetime);
  } else {
    bind_text(index, value, lifetime);
  }
}

template <class T>
T Statement::get(int column) const {
  if constexpr (is_optional<T>) {
    return is_null(column) ? T{} : T{get<typename T::value_type>(column)};
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return static_cast<T>(integer(column));
  } else if constexpr (std::is_same_v<T, Timestamp>) {
    return Timestamp(Millis(integer(column)));
  } else if constexpr (is_counter<T>) {
    return T{integer(column)};
  } else if constexpr (is_id<T>) {
    return T(text(column));
  } else {
    return text(column);
  }
}

}  // namespace payam::chat::sqlite
