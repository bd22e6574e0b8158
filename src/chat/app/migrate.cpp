#include "chat/app/migrate.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "base/base64.hpp"
#include "base/durable_file.hpp"
#include "chat/app/database_keys.hpp"
#include "chat/app/signing_keys.hpp"
#include "chat/app/stores.hpp"
#include "chat/auth/key_file.hpp"
#include "chat/migrate/chat_service.hpp"
#include "chat/store/directory_lock.hpp"
#include "chat/store/mongo/mongo_archive.hpp"
#include "chat/store/sqlite/sqlite_archive.hpp"
#include "http/server/byte_source.hpp"
#include "runtime/shard_set.hpp"

namespace payam::chat {
namespace {

using transfer::Archive;
using transfer::Digest;
using transfer::Record;

constexpr std::size_t kBatch = 1000;  // records in one call
constexpr std::uint64_t kPiece = 256 * 1024;
constexpr std::chrono::seconds kLongestLifetime = std::chrono::days(366);  // of a token, so that no retired key is missed
constexpr const char* kUnfinished = kUnfinishedMigration;

// One side, opened.
class End {
 public:
  enum class Use { read, write };

  End(const Options& options, Use use) : options_(options), database_(open_database(options)) {
    if (database_) {
      database_->connect().command(mongo::doc("ping", 1));
      return;
    }
    const auto file = options.data_dir / "payam.db";
    if (use == Use::read && !std::filesystem::exists(file)) {
      throw std::runtime_error(fmt::format("{}: there is no data in it", options.data_dir.string()));
    }
    lock_ = std::make_unique<DirectoryLock>(options.data_dir);
  }

  Archive& archive() {
    if (!archive_) {
      archive_ = database_ ? open_mongo_archive(*database_) : open_sqlite_archive(options_.data_dir / "payam.db");
    }
    return *archive_;
  }
  MediaStore& media() {
    if (!media_) media_ = open_media(options_, database_.get(), pool_);
    return *media_;
  }
  mongo::Client* database() { return database_.get(); }
  const Options& options() const { return options_; }

  // For people and for the mark of who began: without what may be secret.
  std::string name() const {
    if (!database_) return "sqlite://" + std::filesystem::absolute(options_.data_dir).lexically_normal().string();
    const std::string& url = options_.database_url;
    const auto scheme = url.find("://") + 3;
    std::string hosts = url.substr(scheme, url.find('/', scheme) - scheme);
    if (const auto at = hosts.rfind('@'); at != hosts.npos) hosts.erase(0, at + 1);
    return url.substr(0, scheme) + hosts + '/' + database_->database();
  }

  // What is being copied into this end and is not all there; empty: nothing.
  std::string unfinished() {
    if (database_) {
      const auto mark = database_->connect().find_one(kUnfinished, mongo::doc("_id", 1));
      return mark ? mark->view().get<std::string>("from") : "";
    }
    std::ifstream file(options_.data_dir / kUnfinished);
    std::string line;
    std::getline(file, line);
    return line;
  }
  void begin(const std::string& from) {
    if (database_) {
      database_->connect().insert(kUnfinished, mongo::doc("_id", 1, "from", from));
    } else {
      const auto mark = options_.data_dir / kUnfinished;
      auto fault = write_durably(mark, from + "\n", 0600);
      if (!fault) fault = sync_directory(options_.data_dir);
      if (fault) throw std::filesystem::filesystem_error("the mark of a copy that is not finished", mark, fault);
    }
  }
  void finish() {
    if (database_) {
      database_->connect().remove_all(kUnfinished, mongo::doc());
    } else {
      std::filesystem::remove(options_.data_dir / kUnfinished);
    }
  }

 private:
  const Options options_;
  std::unique_ptr<DirectoryLock> lock_;
  const std::unique_ptr<mongo::Client> database_;
  WorkerPool pool_{"media", 1, 16};
  std::unique_ptr<Archive> archive_;
  std::unique_ptr<MediaStore> media_;
};

Digest digest_of(Archive& archive) {
  Digest digest;
  archive.read([&](const Record& record) { digest.add(record); });
  return digest;
}

// --- Uploads -------------------------------------------------------------------------------------------------------------

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string finish() {
    std::string hash(32, '\0');
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(hash.data()), nullptr);
    return base64url_encode(hash);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

Task<std::string> read_piece(const http::Response::Body& body, std::uint64_t at, std::uint64_t limit) {
  if (const auto* source = std::get_if<http::SourceBody>(&body))
    co_return co_await source->source->read(source->offset + at, limit);
  const auto& file = std::get<http::FileBody>(body);
  std::string bytes(static_cast<std::size_t>(limit), '\0');
  const auto size = ::pread(*file.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(file.offset + at));
  if (size <= 0) throw std::runtime_error("an upload cannot be read");
  bytes.resize(static_cast<std::size_t>(size));
  co_return bytes;
}

std::uint64_t length_of(const http::Response::Body& body) {
  if (const auto* source = std::get_if<http::SourceBody>(&body)) return source->length;
  return std::get<http::FileBody>(body).length;
}

// Reads it to its end, into `to` if that is not null; its hash.
Task<std::string> read_through(http::Response::Body body, MediaStore::Incoming* to) {
  Sha256 hash;
  const std::uint64_t length = length_of(body);
  for (std::uint64_t at = 0; at < length;) {
    const std::string piece = co_await read_piece(body, at, std::min(kPiece, length - at));
    hash.add(piece);
    at += piece.size();
    if (to == nullptr) continue;
    if (const auto written = co_await to->write(piece); !written) throw std::runtime_error(written.error().message);
  }
  co_return hash.finish();
}

struct CopiedUploads {
  std::uint64_t copied = 0, there = 0, bytes = 0;
  std::vector<std::string> missing;  // recorded, but the source has not their bytes
};

// Compared on both sides, also where it was there before.
Task<> copy_upload(MediaStore& from, MediaStore& to, Upload upload, CopiedUploads& count) {
  auto source = co_await from.open(upload.id);
  if (!source) {
    count.missing.push_back(upload.id.str());
    co_return;
  }
  std::string expected;
  if (co_await to.open(upload.id)) {
    ++count.there;
    expected = co_await read_through(std::move(*source), nullptr);
  } else {
    const auto incoming = to.receive(upload.id, length_of(*source));
    expected = co_await read_through(std::move(*source), incoming.get());
    if (const auto kept = co_await incoming->keep(); !kept) throw std::runtime_error(kept.error().message);
    ++count.copied;
  }
  auto copy = co_await to.open(upload.id);
  if (!copy) throw std::runtime_error(fmt::format("upload {} is not there after it was copied", upload.id.str()));
  count.bytes += length_of(*copy);
  if (co_await read_through(std::move(*copy), nullptr) != expected) {
    throw std::runtime_error(fmt::format("upload {} is not the same on both sides", upload.id.str()));
  }
}

CopiedUploads copy_uploads(End& from, End& to, const std::vector<Upload>& uploads) {
  CopiedUploads count;
  ShardSet shards(1);
  for (const Upload& upload : uploads) {
    asio::co_spawn(shards[0].executor(), copy_upload(from.media(), to.media(), upload, count), asio::use_future).get();
  }
  return count;
}

// --- Keys ----------------------------------------------------------------------------------------------------------------

// The present key and those of before, under which tokens still verify. nullopt: none was made yet.
std::optional<SigningKeys> read_keys(End& end) {
  Options options = end.options();
  options.access_token_lifetime = std::chrono::duration_cast<std::chrono::minutes>(kLongestLifetime);
  const bool made = end.database() != nullptr ? end.database()->connect().find_one(kKeyCollection, mongo::doc()).has_value()
                                              : std::filesystem::exists(options.data_dir / "keys" / "jwt.pem");
  if (!made) return std::nullopt;
  auto keys = read_signing_keys(options, end.database(), wall_now());
  if (!keys) throw std::runtime_error(keys.error().message);
  return std::move(*keys);
}

std::string copy_keys(End& from, End& to) {
  const auto keys = read_keys(from);
  if (!keys) return "no signing key was made yet";
  if (const auto there = read_keys(to)) {
    if (there->key.id() == keys->key.id()) return fmt::format("the key {} was there already", keys->key.id());
    throw std::runtime_error("the target has a signing key of its own");
  }
  // When each was retired: as their ends are counted from that.
  std::vector<RetiredKey> retired = keys->retired;
  for (RetiredKey& one : retired) one.until -= kLongestLifetime + kReloadTime;
  std::ranges::sort(retired, {}, &RetiredKey::until);
  if (to.database() != nullptr) {
    auto connection = to.database()->connect();
    write_database_keys(connection, to.options().secret_key, keys->key, retired, wall_now());
  } else if (const auto written = write_key_files(to.options().data_dir / "keys" / "jwt.pem", keys->key, retired); !written) {
    throw std::runtime_error(written.error().message);
  }
  return fmt::format("the key {} and {} of before", keys->key.id(), retired.size());
}

// -------------------------------------------------------------------------------------------------------------------------

std::string compare(const Digest& source, const Digest& target) {
  std::string report;
  bool same = true;
  for (std::size_t kind = 0; kind < transfer::kKinds; ++kind) {
    const auto &here = source.kinds[kind], &there = target.kinds[kind];
    same = same && here == there;
    fmt::format_to(std::back_inserter(report), "{:<12} {:>9} {}\n", transfer::kKindNames[kind], here.count,
                   here == there ? "the same on both sides, " + here.hex()
                                 : fmt::format("but {} in the target, {} and {}", there.count, here.hex(), there.hex()));
  }
  if (!same) throw std::runtime_error("the two sides are not the same:\n" + report);
  return report;
}

// It may hold nothing, a part of this copy, or all of it: who was killed at the very end is told so by a second run.
void refuse_unless_ours(End& from, End& to) {
  const std::string begun = to.unfinished();
  if (begun == from.name()) return;  // it goes on
  if (!begun.empty())
    throw std::runtime_error(fmt::format("{}: a copy of {} into it was begun and not finished", to.name(), begun));
  const Digest there = digest_of(to.archive());
  if (there == Digest{}) {
    to.begin(from.name());
  } else if (there != digest_of(from.archive())) {
    throw std::runtime_error(fmt::format("{}: it is not empty", to.name()));
  }
}

std::string copy_store(const Migrate& migration) {
  End from(migration.from, End::Use::read), to(migration.to, End::Use::write);
  if (from.name() == to.name()) throw std::runtime_error("both ends are the same");
  if (const std::string begun = from.unfinished(); !begun.empty()) {
    throw std::runtime_error(fmt::format("{}: a copy of {} into it is not finished", from.name(), begun));
  }
  refuse_unless_ours(from, to);

  std::vector<Record> batch;
  std::vector<Upload> uploads;
  Digest source;
  const auto flush = [&] {
    to.archive().put(batch);
    batch.clear();
  };
  from.archive().read([&](Record record) {
    source.add(record);
    if (const auto* upload = std::get_if<Upload>(&record)) uploads.push_back(*upload);
    batch.push_back(std::move(record));
    if (batch.size() >= kBatch) flush();
  });
  flush();
  std::string report = fmt::format("from {} to {}\n", from.name(), to.name());
  report += compare(source, digest_of(to.archive()));
  const CopiedUploads count = copy_uploads(from, to, uploads);
  fmt::format_to(std::back_inserter(report), "{:<12} {:>9} bytes of {} uploads, the same on both sides\n", "media", count.bytes,
                 count.copied + count.there);
  for (const std::string& id : count.missing) {
    fmt::format_to(std::back_inserter(report), "skipped: upload {}: the source has its record, but not its bytes\n", id);
  }
  fmt::format_to(std::back_inserter(report), "{:<12} {}\n", "keys", copy_keys(from, to));
  to.finish();
  return report + "done";
}

std::string take_over_chat_service(const Migrate& migration) {
  End to(migration.to, End::Use::write);
  if (const std::string begun = to.unfinished(); !begun.empty()) {
    throw std::runtime_error(fmt::format("{}: a copy of {} into it is not finished", to.name(), begun));
  }
  End from(migration.from, End::Use::read);
  if (from.name() == to.name()) throw std::runtime_error("the target must be another database than the original service's");
  auto connection = from.database()->connect();
  const auto report = migrate::import_chat_service(connection, to.archive());
  return fmt::format("from {} to {}\n{}done", from.name(), to.name(), report.text());
}

}  // namespace

std::string run_migration(const Migrate& migration) {
  return migration.from_chat_service ? take_over_chat_service(migration) : copy_store(migration);
}

}  // namespace payam::chat
