#include "chat/store/sqlite/database.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <stdexcept>

#include "chat/store/sqlite/schema.hpp"
#include "chat/store/sqlite/temporary_folder.hpp"

namespace payam::chat::sqlite {
namespace {

using TestId = Id<struct TestTag>;
using TestCounter = Counter<struct TestTag>;
enum class Colour : std::uint8_t { red, green };

struct TestDatabase : Database {
  TestDatabase() : Database({.path = ":memory:"}) { execute("CREATE TABLE t (a, b)"); }
};

std::int64_t count(Database& database) {
  Statement row = database.query("SELECT count(*) FROM t");
  row.step();
  return row.get<std::int64_t>(0);
}

TEST(Database, GivesValuesBackAsTheyWereBound) {
  TestDatabase database;
  const Timestamp time{Millis(1'700'000'000'123)};
  const std::string text("nul \0 سلام", 15);
  Statement row = database.query("SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", INT64_MIN, true, Colour::green, text, TestId("id"),
                                 TestCounter{7}, time, std::optional<std::string>(), std::optional<int>(0));
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.get<std::int64_t>(0), INT64_MIN);
  EXPECT_EQ(row.get<bool>(1), true);
  EXPECT_EQ(row.get<Colour>(2), Colour::green);
  EXPECT_EQ(row.get<std::string>(3), text);
  EXPECT_EQ(row.get<TestId>(4), TestId("id"));
  EXPECT_EQ(row.get<TestCounter>(5), TestCounter{7});
  EXPECT_EQ(row.get<Timestamp>(6), time);
  EXPECT_EQ(row.get<std::optional<std::string>>(7), std::nullopt);
  EXPECT_EQ(row.get<std::optional<int>>(8), 0);
  EXPECT_FALSE(row.step());
}

TEST(Database, AnEmptyTextIsNotNull) {
  TestDatabase database;
  Statement row = database.query("SELECT ?, ?", std::string(), std::string_view());
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.get<std::optional<std::string>>(0), "");
  EXPECT_EQ(row.get<std::optional<std::string>>(1), "");
}

TEST(Database, AReusedStatementHasForgottenItsValues) {
  TestDatabase database;
  database.run("INSERT INTO t VALUES (?, ?)", 1, 2);
  database.run("INSERT INTO t VALUES (?, ?)", 3, std::optional<int>());
  Statement row = database.query("SELECT b FROM t WHERE a = 3");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.get<std::optional<int>>(0), std::nullopt);
}

TEST(Database, OneTextMayBeOpenTwice) {
  TestDatabase database;
  for (int i = 1; i <= 3; ++i) database.run("INSERT INTO t VALUES (?, 0)", i);
  int pairs = 0;
  for (int round = 0; round < 2; ++round) {
    Statement outer = database.query("SELECT a FROM t");
    while (outer.step()) {
      Statement inner = database.query("SELECT a FROM t");
      while (inner.step()) ++pairs;
    }
  }
  EXPECT_EQ(pairs, 18);
}

TEST(Database, ThrowsWhatSqliteSays) {
  TestDatabase database;
  database.execute("CREATE UNIQUE INDEX i ON t (a)");
  database.run("INSERT INTO t VALUES (?, ?)", 1, 1);
  try {
    database.run("INSERT INTO t VALUES (?, ?)", 1, 2);
    FAIL();
  } catch (const SqliteError& error) {
    EXPECT_EQ(error.code(), SQLITE_CONSTRAINT_UNIQUE);
    EXPECT_TRUE(error.is_about_the_statement());
    EXPECT_STREQ(error.what(), "database: UNIQUE constraint failed: t.a (2067) in INSERT INTO t VALUES (?, ?)");
  }
  EXPECT_THROW(database.query("SELECT nonsense"), SqliteError);
  EXPECT_THROW(database.execute("nonsense"), SqliteError);
  EXPECT_THROW(Database({.path = "/nowhere/at/all.db"}), SqliteError);
  EXPECT_EQ(count(database), 1);
}

TEST(Database, ATransactionOrSavepointThatIsNotKeptIsUndone) {
  TestDatabase database;
  {
    Transaction transaction(database, Transaction::Kind::write);
    database.run("INSERT INTO t VALUES (1, 1)");
  }
  EXPECT_EQ(count(database), 0);
  {
    Transaction transaction(database, Transaction::Kind::write);
    {
      Savepoint kept(database);
      database.run("INSERT INTO t VALUES (2, 2)");
      kept.keep();
    }
    {
      Savepoint undone(database);
      database.run("INSERT INTO t VALUES (3, 3)");
      database.run("INSERT INTO t VALUES (4, 4)");
    }
    EXPECT_EQ(count(database), 1);
    transaction.commit();
  }
  EXPECT_EQ(count(database), 1);
  EXPECT_FALSE(database.in_transaction());
}

std::string refusal(Database& database) {
  try {
    migrate(database);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(Schema, IsMadeOnceAndKept) {
  const TemporaryFolder folder;
  const auto path = (folder.path() / "payam.db").string();
  {
    Database database({.path = path});
    EXPECT_EQ(refusal(database), "");
    database.run("INSERT INTO users (id, password_hash, created_at) VALUES ('u', 'h', 0)");
    EXPECT_EQ(refusal(database), "");
  }
  Database database({.path = path});
  EXPECT_EQ(refusal(database), "");
  EXPECT_TRUE(database.query("SELECT 1 FROM users WHERE id = 'u'").step());
}

TEST(Schema, RefusesANewerOne) {
  Database database({.path = ":memory:"});
  migrate(database);
  database.execute("PRAGMA user_version = 1000");
  EXPECT_EQ(refusal(database).substr(0, 71), "the database was written by a newer Payam (its schema is 1000, this one");
}

TEST(Schema, RefusesAnotherProgramsDatabase) {
  TestDatabase database;
  EXPECT_EQ(refusal(database), "the database file belongs to another program");
  EXPECT_EQ(count(database), 0);
}

TEST(Schema, RefusesWhatIsNoDatabase) {
  const TemporaryFolder folder;
  const auto path = (folder.path() / "payam.db").string();
  FILE* file = std::fopen(path.c_str(), "w");
  std::fputs("This is a letter to my grandmother and by no means a database. It is long enough to be mistaken for one.", file);
  std::fclose(file);
  Database database({.path = path});
  EXPECT_NE(refusal(database).find("file is not a database"), std::string::npos);
}

TEST(Interruption, EndsAStatementThatWouldRunForLongAndNothingAfterIt) {
  Database database({.path = ":memory:"});
  constexpr std::string_view kLong =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000) SELECT max(i) FROM n";
  {
    int asked = 0;
    const Interruption interruption(database, [&asked] { return ++asked == 3; });
    EXPECT_THROW(database.query(kLong).step(), SqliteError);
    EXPECT_TRUE(interruption.happened());
    EXPECT_THROW(database.query(kLong).step(), SqliteError) << "it stays over";
    EXPECT_EQ(asked, 3);
  }
  Statement row = database.query("SELECT 1");
  EXPECT_TRUE(row.step());
}

}  // namespace
}  // namespace payam::chat::sqlite
