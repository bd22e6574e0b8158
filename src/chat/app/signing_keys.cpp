#include "chat/app/signing_keys.hpp"

#include <filesystem>

#include "chat/app/database_keys.hpp"
#include "chat/auth/key_file.hpp"

namespace payam::chat {
namespace {

std::filesystem::path key_directory(const Options& options) { return options.data_dir / "keys"; }

std::filesystem::path key_file(const Options& options) {
  return options.jwt_key_file.empty() ? key_directory(options) / "jwt.pem" : options.jwt_key_file;
}

}  // namespace

Result<SigningKeys> read_signing_keys(const Options& options, mongo::Client* database, Timestamp now) {
  if (options.algorithm == TokenAlgorithm::hs256) return SigningKeys{TokenKey::from_secret(options.secret_key).value(), {}};
  if (database != nullptr && options.jwt_key_file.empty()) {
    auto connection = database->connect();
    return read_or_make_database_keys(connection, options.secret_key, options.access_token_lifetime, now);
  }
  const auto file = key_file(options);
  auto key = options.jwt_key_file.empty() ? read_or_make_key_file(file) : read_key_file(file);
  if (!key) return std::unexpected(std::move(key.error()));
  auto retired = read_retired_keys(key_directory(options), file, options.access_token_lifetime, now);
  if (!retired) return std::unexpected(std::move(retired.error()));
  return SigningKeys{std::move(*key), std::move(*retired)};
}

Result<std::string> rotate_signing_key(const Options& options, mongo::Client* database, Timestamp now) {
  if (options.algorithm == TokenAlgorithm::hs256) {
    return fail(Errc::unsupported, "ALGORITHM=HS256 signs with SECRET_KEY: change that and restart, which ends every token");
  }
  if (!options.jwt_key_file.empty()) {
    return fail(Errc::unsupported, "JWT_KEY_FILE is a key of your own: move it to " + key_directory(options).string() +
                                       " and put another in its place");
  }
  if (database != nullptr) {
    auto connection = database->connect();
    return rotate_database_key(connection, options.secret_key, now);
  }
  if (const auto made = read_or_make_key_file(key_file(options)); !made) return std::unexpected(made.error());
  const auto key = rotate_key_file(key_file(options));
  if (!key) return std::unexpected(key.error());
  return key->id();
}

Result<std::string> make_signup_invite(const Options& options, mongo::Client* database, Timestamp now) {
  auto keys = read_signing_keys(options, database, now);
  if (!keys) return std::unexpected(std::move(keys.error()));
  return Tokens(std::move(keys->key), options.access_token_lifetime).issue_signup(now, kInviteLifetime);
}

}  // namespace payam::chat
