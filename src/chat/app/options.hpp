// What an operator may set: a flag `--data-dir`, the environment's `DATA_DIR`, a line in `.env`; the first of these wins.
// One table (options.cpp) holds names, texts, defaults and checks.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "chat/service/accounts.hpp"
#include "chat/service/log.hpp"
#include "chat/service/rate_limits.hpp"

namespace payam::chat {

enum class TokenAlgorithm : std::uint8_t { es256, hs256 };
enum class MediaKind : std::uint8_t { directory, gridfs };
enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class MetricsAccess : std::uint8_t { local, on, off };

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;  // 0: the system chooses
  std::filesystem::path data_dir = "./data";
  int threads = 0;  // 0: one a processor, at most 16
  LogLevel log_level = LogLevel::info;
  log::Format log_format = log::Format::text;
  MetricsAccess metrics = MetricsAccess::local;
  std::string metrics_token;  // empty: none

  TokenAlgorithm algorithm = TokenAlgorithm::es256;
  std::string secret_key;
  std::filesystem::path jwt_key_file;  // empty: made under data_dir
  std::chrono::minutes access_token_lifetime{30};
  int bcrypt_cost = 12;
  std::filesystem::path password_denylist;  // empty: none
  std::chrono::days session_idle_time = Sessions::kIdleTime;
  SignupMode signup = SignupMode::open;
  UserDirectory directory = UserDirectory::prefix;
  CallerLimits limits;

  std::uint64_t max_upload_bytes = 100ull << 20;
  std::uint64_t user_quota_bytes = 5ull << 30;  // 0: no limit
  std::optional<std::uint64_t> min_free_bytes;  // of data_dir's disk; nullopt: DiskReserve's own default
  MediaKind media_store = MediaKind::directory;

  std::string database_url;   // mongodb://… or mongodb+srv://…; empty: SQLite under data_dir
  std::string database_name;  // the URL's own if it has one

  std::vector<std::string> cors_origins;
  std::vector<std::string> trusted_proxies;
  std::string tls_cert;
  std::string tls_key;
  std::string public_url;  // `https://chat.example.org`, without a slash at the end; empty: not known

  bool on_mongodb() const { return !database_url.empty(); }
  // Whether anything is kept under data_dir, which is then this server's alone.
  bool uses_data_dir() const { return !on_mongodb() || media_store == MediaKind::directory; }
};

// What the command line asks for.
struct Serve {
  Options options;
};
struct RotateKey {
  Options options;
};
struct MakeInvite {
  Options options;
};
// Copies everything into an empty store.
struct Migrate {
  Options from, to;                // what a server on either would have
  bool from_chat_service = false;  // `from` is a database of the original Python service
};
struct Print {
  std::string text;  // help or version: to standard output, then exit 0
};
using Command = std::variant<Serve, RotateKey, MakeInvite, Migrate, Print>;

// The value of an environment variable; nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// `arguments` without the program's name. `dotenv` are the lines of `.env`. The error's text is one line for the operator.
Result<Command> parse_command(std::span<const std::string> arguments, const Environment& environment,
                              const std::map<std::string, std::string>& dotenv);

// The text of `.env.example`: every option with its meaning and default.
std::string dotenv_example();

}  // namespace payam::chat
