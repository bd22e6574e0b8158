// What both media stores promise.
#include "chat/media/media_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <map>

#include "chat/media/gridfs_media.hpp"
#include "chat/media/media_files.hpp"
#include "chat/store/mongo/test_server.hpp"
#include "http/server/byte_source.hpp"
#include "runtime/shard_set.hpp"
#include "runtime/task_group.hpp"

namespace payam::chat {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using mongo::doc;

// From the PNG specification: signature and the IHDR of a picture of 1 by 1.
const std::string kPng("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\x1f\x15\xc4\x89", 33);
const UploadId kId("01J0000000000000000000000A");

// The whole body, or `length` bytes of it from `offset` on.
Task<std::string> read_all(http::Response::Body body, std::uint64_t offset = 0, std::uint64_t length = UINT64_MAX) {
  std::string text;
  if (const auto* file = std::get_if<http::FileBody>(&body)) {
    text.resize(static_cast<std::size_t>(std::min(length, file->length - offset)));
    const auto at = static_cast<off_t>(file->offset + offset);
    EXPECT_EQ(::pread(*file->descriptor, text.data(), text.size(), at), static_cast<ssize_t>(text.size()));
    co_return text;
  }
  const auto& source = std::get<http::SourceBody>(body);
  const std::uint64_t end = std::min(length, source.length - offset) + offset;
  while (offset + text.size() < end) {
    text += co_await source.source->read(source.offset + offset + text.size(), end - offset - text.size());
  }
  co_return text;
}

// A place for uploads, empty at first.
class Place {
 public:
  virtual ~Place() = default;
  virtual MediaStore& store() = 0;
  // How many files, chunks or records there are.
  virtual std::size_t pieces() = 0;
};

class DirectoryPlace final : public Place {
 public:
  DirectoryPlace() {
    std::string pattern = (fs::temp_directory_path() / "payam-media-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    files_.emplace(directory_ / "media", pool_);
  }
  ~DirectoryPlace() override {
    files_.reset();
    fs::remove_all(directory_);
  }
  MediaStore& store() override { return *files_; }
  std::size_t pieces() override {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

 private:
  fs::path directory_;
  WorkerPool pool_{"media", 1, 10};
  std::optional<MediaFiles> files_;
};

class GridfsPlace final : public Place {
 public:
  MediaStore& store() override { return media_; }
  std::size_t pieces() override {
    // The one thread of the pool has done what was submitted before.
    std::promise<void> done;
    EXPECT_TRUE(client_.submit([&done] { done.set_value(); }));
    done.get_future().get();
    auto connection = client_.connect();
    std::int64_t count = 0;
    for (const char* collection : {"fs.files", "fs.chunks", "fs.incoming"}) count += connection.count(collection, doc());
    return static_cast<std::size_t>(count);
  }

  mongo::Client client_{
      {.url = mongo::TestServer::shared().url(), .database = mongo::TestServer::new_database(), .threads = 1}};
  GridfsMedia media_{client_};
};

template <class P>
class MediaStoreTest : public testing::Test {
 protected:
  MediaStore& store() { return place_.store(); }

  // Runs the test's coroutine on a shard, to its end.
  void run(Task<> task) {
    group_.spawn(shards_[0].executor(), "test", std::move(task));
    ASSERT_TRUE(group_.wait(30s));
  }

  TaskGroup group_{[](const std::string&, const std::exception& error) { ADD_FAILURE() << error.what(); }};
  ShardSet shards_{1};  // outlives what completes to it
  P place_;
};

using Places = testing::Types<DirectoryPlace, GridfsPlace>;
TYPED_TEST_SUITE(MediaStoreTest, Places);

TYPED_TEST(MediaStoreTest, KeepsWhatWasWritten) {
  auto test = [](MediaStore& store) -> Task<> {
    auto incoming = store.receive(kId, 100);
    EXPECT_TRUE(co_await incoming->write(kPng.substr(0, 10)));
    EXPECT_TRUE(co_await incoming->write(kPng.substr(10)));
    const auto kept = co_await incoming->keep();
    EXPECT_TRUE(kept);
    EXPECT_EQ(kept->size, 33u);
    EXPECT_EQ(kept->content_type, "image/png");
    incoming.reset();
    auto body = co_await store.open(kId);
    EXPECT_TRUE(body);
    if (body) EXPECT_EQ(co_await read_all(std::move(*body)), kPng);
  };
  this->run(test(this->store()));
}

TYPED_TEST(MediaStoreTest, KeepsLargeFilesAndGivesAnyPartOfThem) {
  std::string large;
  for (int i = 0; large.size() < 700'000; ++i) large += std::to_string(i) + ' ';
  auto test = [](MediaStore& store, const std::string& text) -> Task<> {
    auto incoming = store.receive(kId, text.size());
    for (std::size_t at = 0; at < text.size(); at += 100'000) {
      EXPECT_TRUE(co_await incoming->write(std::string_view(text).substr(at, 100'000)));
    }
    const auto kept = co_await incoming->keep();
    EXPECT_EQ(kept->size, text.size());
    EXPECT_EQ(kept->content_type, "text/plain");
    EXPECT_EQ(co_await read_all((co_await store.open(kId)).value()), text);
    for (const std::size_t from : {0, 1, 261'119, 261'120, 261'121, 522'239, 699'990}) {
      EXPECT_EQ(co_await read_all((co_await store.open(kId)).value(), from, 10), text.substr(from, 10)) << from;
    }
  };
  this->run(test(this->store(), large));
}

TYPED_TEST(MediaStoreTest, LeavesNothingOfATornUpload) {
  auto test = [](MediaStore& store) -> Task<> {
    auto incoming = store.receive(kId, 1'000'000);
    EXPECT_TRUE(co_await incoming->write("a little"));
    EXPECT_TRUE(co_await incoming->write(std::string(600'000, 'x')));
  };
  this->run(test(this->store()));
  EXPECT_EQ(this->place_.pieces(), 0u);
}

TYPED_TEST(MediaStoreTest, StopsAtTheLimit) {
  auto test = [](MediaStore& store) -> Task<> {
    auto incoming = store.receive(kId, 10);
    EXPECT_TRUE(co_await incoming->write("0123456789"));
    const auto over = co_await incoming->write("x");
    EXPECT_EQ(over.error().code, Errc::too_large);
  };
  this->run(test(this->store()));
}

TYPED_TEST(MediaStoreTest, TakesAnEmptyFile) {
  auto test = [](MediaStore& store) -> Task<> {
    const auto kept = co_await store.receive(kId, 10)->keep();
    EXPECT_EQ(kept->size, 0u);
    EXPECT_EQ(kept->content_type, "application/octet-stream");
    EXPECT_EQ(co_await read_all((co_await store.open(kId)).value()), "");
  };
  this->run(test(this->store()));
  EXPECT_EQ(this->place_.pieces(), 1u);
}

TYPED_TEST(MediaStoreTest, FindsNothingThatWasNotKeptOrIsRemoved) {
  auto test = [](MediaStore& store) -> Task<> {
    EXPECT_FALSE(co_await store.open(kId));
    co_await store.remove(kId);
    auto incoming = store.receive(kId, 1'000'000);
    EXPECT_TRUE(co_await incoming->write(std::string(600'000, 'x')));
    EXPECT_FALSE(co_await store.open(kId)) << "not kept yet";
    EXPECT_TRUE(co_await incoming->keep());
    incoming.reset();
    EXPECT_TRUE(co_await store.open(kId));
    co_await store.remove(kId);
    EXPECT_FALSE(co_await store.open(kId));
  };
  this->run(test(this->store()));
  EXPECT_EQ(this->place_.pieces(), 0u);
}

struct TypeCase {
  std::string content;
  std::string type;
};

TYPED_TEST(MediaStoreTest, GoesByTheContent) {
  const std::vector<TypeCase> cases{
      {kPng, "image/png"},
      {"GIF89a\x01\x00\x01\x00", "image/gif"},
      {"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "application/pdf"},
      {"<!DOCTYPE html><html><script>alert(1)</script></html>", "text/html"},
      {"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", "image/svg+xml"},
      {"Hello, world\n", "text/plain"},
      {std::string("\x00\x01\x02\x03\xfe\xff\x00\x80", 8), "application/octet-stream"},
  };
  auto test = [](MediaStore& store, const std::vector<TypeCase>& table) -> Task<> {
    for (std::size_t i = 0; i < table.size(); ++i) {
      auto incoming = store.receive(UploadId("01J00000000000000000000000" + std::to_string(i)), 1000);
      EXPECT_TRUE(co_await incoming->write(table[i].content));
      const auto kept = co_await incoming->keep();
      EXPECT_EQ(kept->content_type, table[i].type);
    }
  };
  this->run(test(this->store(), cases));
}

class GridfsTest : public MediaStoreTest<GridfsPlace> {
 protected:
  mongo::Connection connection_ = place_.client_.connect();

  void upload(const std::string& text) {
    auto test = [](MediaStore& store, const std::string& content) -> Task<> {
      auto incoming = store.receive(kId, content.size());
      EXPECT_TRUE(co_await incoming->write(content));
      EXPECT_TRUE(co_await incoming->keep());
    };
    run(test(store(), text));
  }
};

TEST_F(GridfsTest, KeepsTheStandardLayout) {
  upload(std::string(261'120, 'a') + "bc");
  const auto file = connection_.find_one("fs.files", doc("_id", kId)).value();
  EXPECT_EQ(file.view().get<int>("length"), 261'122);
  EXPECT_EQ(file.view().get<int>("chunkSize"), 261'120);
  EXPECT_EQ(file.view().kind("uploadDate"), mongo::Kind::date);
  EXPECT_EQ(file.view().get<std::string>("filename"), kId.str());
  EXPECT_EQ(file.view().get<mongo::View>("metadata").get<std::string>("contentType"), "text/plain");
  EXPECT_EQ(connection_.count("fs.chunks", doc("files_id", kId)), 2);
  const auto last = connection_.find_one("fs.chunks", doc("files_id", kId, "n", 1)).value();
  EXPECT_EQ(last.view().kind("_id"), mongo::Kind::object_id);
  EXPECT_EQ(last.view().get<mongo::Bytes>("data").size(), 2u);
  EXPECT_EQ(connection_.count("fs.incoming", doc()), 0);
  EXPECT_FALSE(connection_.insert("fs.chunks", doc("_id", "c", "files_id", kId, "n", 1))) << "unique";
}

TEST_F(GridfsTest, APartCostsOnlyItsOwnChunks) {
  upload(std::string(600'000, 'x'));
  connection_.remove_all("fs.chunks", doc("files_id", kId, "n", doc("$ne", 1)));
  auto test = [](MediaStore& store) -> Task<> {
    EXPECT_EQ(co_await read_all((co_await store.open(kId)).value(), 300'000, 5), "xxxxx");
  };
  run(test(store()));
}

TEST_F(GridfsTest, WhatACrashLeftIsSweptOnceItIsDead) {
  const Timestamp now = wall_now();
  connection_.insert("fs.chunks", doc("_id", "a", "files_id", "torn", "n", 0));
  connection_.insert("fs.incoming", doc("_id", "torn", "at", now - 11min));
  connection_.insert("fs.chunks", doc("_id", "b", "files_id", "going on", "n", 0));
  connection_.insert("fs.incoming", doc("_id", "going on", "at", now - 9min));
  upload("whole");
  connection_.insert("fs.incoming", doc("_id", kId, "at", now - 11min));  // it stopped before it removed that
  store().sweep(now);
  EXPECT_EQ(connection_.count("fs.chunks", doc("files_id", "torn")), 0);
  EXPECT_EQ(connection_.count("fs.chunks", doc("files_id", "going on")), 1);
  EXPECT_EQ(connection_.count("fs.chunks", doc("files_id", kId)), 1);
  EXPECT_EQ(connection_.count("fs.files", doc("_id", kId)), 1);
  EXPECT_EQ(connection_.count("fs.incoming", doc()), 1);
}

TEST_F(GridfsTest, AnUploadTakenForDeadIsNotKept) {
  auto test = [](MediaStore& store, mongo::Connection& connection) -> Task<> {
    auto incoming = store.receive(kId, 1'000'000);
    EXPECT_TRUE(co_await incoming->write(std::string(300'000, 'x')));
    store.sweep(wall_now() + 11min);
    bool kept = true;
    try {
      kept = (co_await incoming->keep()).has_value();
    } catch (const std::runtime_error&) {
      kept = false;
    }
    EXPECT_FALSE(kept);
    EXPECT_EQ(connection.count("fs.files", doc()), 0);
  };
  run(test(store(), connection_));
  EXPECT_EQ(place_.pieces(), 0u);
}

TYPED_TEST(MediaStoreTest, NamesTheFilesThatWereKeptRoundAndRound) {
  const std::vector<UploadId> ids{UploadId("01J0000000000000000000000A"), UploadId("01J0000000000000000000000B"),
                                  UploadId("01J0000000000000000000001B")};
  auto keep = [](MediaStore& store, std::vector<UploadId> all) -> Task<> {
    for (const UploadId& id : all) {
      auto incoming = store.receive(id, 100);
      EXPECT_TRUE(co_await incoming->write("text"));
      EXPECT_TRUE(co_await incoming->keep());
    }
  };
  EXPECT_TRUE(this->store().next_kept(wall_now() + 1h).empty());
  this->run(keep(this->store(), ids));
  std::map<UploadId, int> seen;
  for (int call = 0; call < 12; ++call) {
    for (const UploadId& id : this->store().next_kept(wall_now() + 1h)) ++seen[id];
    EXPECT_TRUE(this->store().next_kept(wall_now() - 1h).empty()) << "they are younger";
  }
  EXPECT_EQ(seen.size(), 3u);
  for (const UploadId& id : ids) EXPECT_GE(seen[id], 2) << id.str();
}

}  // namespace
}  // namespace payam::chat
