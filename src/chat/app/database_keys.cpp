#include "chat/app/database_keys.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "chat/auth/key_file.hpp"
#include "chat/auth/sealed.hpp"

namespace payam::chat {
namespace {

using mongo::doc;

constexpr std::string_view kKeys = kKeyCollection;
constexpr std::string_view kLabel = "payam signing key";

// Newest first.
std::vector<mongo::Document> read_all(mongo::Connection& connection) {
  mongo::FindOptions newest_first;
  newest_first.sort = doc("_id", -1);
  return connection.find(kKeys, doc(), newest_first).all();
}

mongo::Document key_document(std::int64_t number, const std::string& secret_key, const TokenKey& key, Timestamp now) {
  return doc("_id", number, "kid", key.id(), "sealed", seal(secret_key, {kLabel, key.id()}, key.to_pem()), "at", now);
}

// If another has made that number it stays.
void insert_new_key(mongo::Connection& connection, std::int64_t number, const std::string& secret_key, Timestamp now) {
  connection.insert(kKeys, key_document(number, secret_key, TokenKey::generate(), now));
}

Result<TokenKey> open_key(mongo::View row, const std::string& secret_key) {
  const auto id = row.get<std::string>("kid");
  const auto pem = unseal(secret_key, {kLabel, id}, row.get<std::string_view>("sealed"));
  if (!pem) {
    return fail(
        Errc::forbidden,
        fmt::format(
            "SECRET_KEY is not the one with which the keys in the database were sealed (the key {}): every server on it "
            "needs the same. If it is lost, remove the collection {}; that signs everyone out",
            id, kKeys));
  }
  return TokenKey::from_pem(*pem);
}

}  // namespace

Result<SigningKeys> read_or_make_database_keys(mongo::Connection& connection, const std::string& secret_key,
                                               std::chrono::seconds lifetime, Timestamp now) {
  auto rows = read_all(connection);
  if (rows.empty()) {
    insert_new_key(connection, 1, secret_key, now);
    rows = read_all(connection);
  }
  std::optional<SigningKeys> keys;
  std::optional<Timestamp> successor_made;
  for (const mongo::Document& row : rows) {
    const auto made = row.view().get<Timestamp>("at");
    const auto until = successor_made ? std::optional(*successor_made + lifetime + kReloadTime) : std::nullopt;
    successor_made = made;
    if (until && *until <= now) continue;
    auto key = open_key(row, secret_key);
    if (!key) return std::unexpected(std::move(key.error()));
    if (!keys) {
      keys.emplace(std::move(*key), std::vector<RetiredKey>());
    } else {
      keys->retired.push_back({std::move(*key), *until});
    }
  }
  return std::move(*keys);
}

Result<std::string> rotate_database_key(mongo::Connection& connection, const std::string& secret_key, Timestamp now) {
  // Who does not know the secret of the present key makes no other.
  const auto present = read_or_make_database_keys(connection, secret_key, std::chrono::seconds(0), now);
  if (!present) return std::unexpected(present.error());
  const auto number = read_all(connection).front().view().get<std::int64_t>("_id");
  insert_new_key(connection, number + 1, secret_key, now);  // or another was first, and has rotated it just now
  const auto rotated = read_or_make_database_keys(connection, secret_key, std::chrono::seconds(0), now);
  if (!rotated) return std::unexpected(rotated.error());
  return rotated->key.id();
}

// Each is made when the one before it is retired.
void write_database_keys(mongo::Connection& connection, const std::string& secret_key, const TokenKey& key,
                         const std::vector<RetiredKey>& retired, Timestamp now) {
  std::vector<mongo::Document> rows;
  Timestamp made = retired.empty() ? now : retired.front().until;
  for (const RetiredKey& one : retired) {
    rows.push_back(key_document(static_cast<std::int64_t>(rows.size()) + 1, secret_key, one.key, made));
    made = one.until;
  }
  rows.push_back(key_document(static_cast<std::int64_t>(rows.size()) + 1, secret_key, key, made));
  connection.insert(kKeys, rows);
}

}  // namespace payam::chat
