#include "chat/app/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <set>

#include "chat/auth/token_key.hpp"

namespace payam::chat {
namespace {

constexpr std::string_view kVersion = PAYAM_VERSION;
constexpr std::string_view kDatabaseName = "chat_app";

// Each takes an option's text into `options`; an error says what is wrong with the text alone, its name stands before.
using Setter = Result<> (*)(Options& options, const std::string& text);

struct Definition {
  std::string_view name;   // DATA_DIR; the flag is --data-dir
  std::string_view value;  // what stands for the value in the help
  std::string_view group;
  std::string_view help;
  std::string_view standard;  // the default, as one would write it; empty: none
  Setter set;                 // null: known, but of a later version
};

Result<std::int64_t> number_in(const std::string& text, std::int64_t low, std::int64_t high) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    return fail(Errc::invalid, fmt::format("'{}' is not a number from {} to {}", text, low, high));
  }
  return value;
}

template <class Field>
Result<> set_number(Field& field, const std::string& text, std::int64_t low, std::int64_t high) {
  const auto value = number_in(text, low, high);
  if (!value) return std::unexpected(value.error());
  field = Field(*value);
  return {};
}

template <class Enum>
Result<> set_choice(Enum& field, const std::string& text, std::initializer_list<std::pair<std::string_view, Enum>> choices) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : choices) {
    if (CLI::detail::to_lower(text) == CLI::detail::to_lower(std::string(name))) {
      field = value;
      return {};
    }
    names.push_back(name);
  }
  return fail(Errc::invalid, fmt::format("'{}' is none of: {}", text, fmt::join(names, ", ")));
}

// Separated by commas or spaces.
std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text + ',') {
    if (c != ',' && c != ' ') {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(std::exchange(part, {}));
    }
  }
  return parts;
}

// 1048576, 500K, 100M, 2G (powers of 1024).
template <class Field>
Result<> set_bytes(Field& field, const std::string& text, std::int64_t low = 1) {
  std::string digits = text;
  int shift = 0;
  if (!digits.empty()) {
    const auto suffix =
        std::string_view("KMG").find(static_cast<char>(std::toupper(static_cast<unsigned char>(digits.back()))));
    if (suffix != std::string_view::npos) {
      shift = 10 * (static_cast<int>(suffix) + 1);
      digits.pop_back();
    }
  }
  const auto value = number_in(digits, low, (std::int64_t{1} << 53) >> shift);
  if (!value) return fail(Errc::invalid, fmt::format("'{}' is not a size in bytes (1048576, 500K, 100M, 2G)", text));
  field = static_cast<std::uint64_t>(*value) << shift;
  return {};
}

// http(s)://host[:port]; a slash at the end is left out.
Result<> set_origin(std::string& field, const std::string& text) {
  std::string_view origin = text;
  if (origin.ends_with('/')) origin.remove_suffix(1);
  const auto scheme = origin.substr(0, origin.find("//"));
  const auto rest = origin.substr(std::min(scheme.size() + 2, origin.size()));
  const bool bracketed = rest.starts_with('[');
  const auto host = rest.substr(0, bracketed ? rest.find(']') + 1 : rest.find(':'));
  const auto is_host = [bracketed](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || (bracketed ? c == ':' : c == '-');
  };
  const auto name = bracketed && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
  const auto port = rest.substr(host.size());
  const bool good = (scheme == "https:" || scheme == "http:") && !name.empty() && std::ranges::all_of(name, is_host) &&
                    (port.empty() || (port.starts_with(':') && number_in(std::string(port.substr(1)), 1, 65535)));
  if (!good) return fail(Errc::invalid, fmt::format("'{}' is not of the form https://host or https://host:port", text));
  field = origin;
  return {};
}

// What MongoDB calls a database: https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions
bool is_database_name(std::string_view text) {
  return !text.empty() && text.size() < 64 && text.find_first_of(std::string_view("/\\. \"$*<>:|?\0", 13)) == text.npos;
}

// The path of mongodb://user:password@host1,host2/NAME?option=value; empty if there is none.
std::string_view database_in(std::string_view url) {
  const auto rest = url.substr(url.find("://") + 3);
  const auto slash = rest.find('/');
  if (slash == rest.npos) return {};
  const auto path = rest.substr(slash + 1);
  return path.substr(0, path.find('?'));
}

constexpr Definition kDefinitions[] = {
    {"HOST", "ADDRESS", "Server", "Address to listen on; 0.0.0.0 or :: for every network", "127.0.0.1",
     [](Options& o, const std::string& text) -> Result<> {
       if (text.empty()) return fail(Errc::invalid, "is empty");
       o.host = text;
       return {};
     }},
    {"PORT", "NUMBER", "Server", "Port to listen on; 0 lets the system choose", "8000",
     [](Options& o, const std::string& text) { return set_number(o.port, text, 0, 65535); }},
    {"DATA_DIR", "DIRECTORY", "Server", "Where everything is kept: database, keys, uploads", "./data",
     [](Options& o, const std::string& text) -> Result<> {
       if (text.empty()) return fail(Errc::invalid, "is empty");
       o.data_dir = text;
       return {};
     }},
    {"THREADS", "NUMBER", "Server", "Threads that serve connections; 0 is one a processor", "0",
     [](Options& o, const std::string& text) { return set_number(o.threads, text, 0, 64); }},
    {"LOG_LEVEL", "LEVEL", "Server", "debug, info, warn, error or off", "info",
     [](Options& o, const std::string& text) {
       return set_choice(o.log_level, text,
                         {{"debug", LogLevel::debug},
                          {"info", LogLevel::info},
                          {"warn", LogLevel::warn},
                          {"warning", LogLevel::warn},
                          {"error", LogLevel::error},
                          {"off", LogLevel::off}});
     }},
    {"LOG_FORMAT", "FORMAT", "Server", "text (key=value) or json: one line an event, on standard error", "text",
     [](Options& o, const std::string& text) {
       return set_choice(o.log_format, text, {{"text", log::Format::text}, {"json", log::Format::json}});
     }},
    {"METRICS", "WHO", "Server", "Who may read /metrics: local (this machine), on (everyone) or off", "local",
     [](Options& o, const std::string& text) {
       return set_choice(o.metrics, text,
                         {{"local", MetricsAccess::local}, {"on", MetricsAccess::on}, {"off", MetricsAccess::off}});
     }},
    {"METRICS_TOKEN", "TEXT", "Server", "Who sends it as bearer token may read /metrics, from anywhere; nobody else", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.metrics_token = text;
       return {};
     }},
    {"TLS_CERT", "FILE", "Server", "Certificate chain (PEM); with TLS_KEY the server speaks HTTPS", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.tls_cert = text;
       return {};
     }},
    {"TLS_KEY", "FILE", "Server", "Private key of TLS_CERT (PEM)", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.tls_key = text;
       return {};
     }},
    {"MIN_FREE_BYTES", "BYTES", "Server",
     "Free space kept: uploads stop there, messages at a quarter; not set: 5 %, 1G at most", "",
     [](Options& o, const std::string& text) { return set_bytes(o.min_free_bytes, text, 0); }},
    {"TRUSTED_PROXIES", "NETWORKS", "Server", "Networks whose X-Forwarded-For and -Proto count, e.g. 10.0.0.0/8,::1", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.trusted_proxies = split_list(text);
       return {};
     }},
    {"CORS_ORIGINS", "ORIGINS", "Server", "Web origins that may call, e.g. https://chat.example.org", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.cors_origins = split_list(text);
       return {};
     }},
    {"PUBLIC_URL", "URL", "Server",
     "Where people reach the server, https://chat.example.org; https is then all that browsers use", "",
     [](Options& o, const std::string& text) { return set_origin(o.public_url, text); }},

    {"SIGNUP", "MODE", "Accounts", "Who may sign up: open (everyone), invite (who was invited) or closed", "open",
     [](Options& o, const std::string& text) {
       return set_choice(o.signup, text,
                         {{"open", SignupMode::open}, {"invite", SignupMode::invite}, {"closed", SignupMode::closed}});
     }},
    {"ALGORITHM", "NAME", "Accounts", "How access tokens are signed: ES256 (own key) or HS256 (SECRET_KEY)", "ES256",
     [](Options& o, const std::string& text) {
       return set_choice(o.algorithm, text, {{"ES256", TokenAlgorithm::es256}, {"HS256", TokenAlgorithm::hs256}});
     }},
    {"SECRET_KEY", "TEXT", "Accounts",
     "32 bytes or more, for HS256 and to seal the keys in MongoDB; not as a flag: others see it", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.secret_key = text;
       return {};
     }},
    {"JWT_KEY_FILE", "FILE", "Accounts", "Private key for ES256 (PEM, P-256); if not given, made under DATA_DIR or in MongoDB",
     "",
     [](Options& o, const std::string& text) -> Result<> {
       o.jwt_key_file = text;
       return {};
     }},
    {"ACCESS_TOKEN_EXPIRE_MINUTES", "MINUTES", "Accounts", "How long an access token lasts", "30",
     [](Options& o, const std::string& text) { return set_number(o.access_token_lifetime, text, 1, 525'600); }},
    {"SESSION_IDLE_DAYS", "DAYS", "Accounts", "A device that is not used for so long is signed out", "90",
     [](Options& o, const std::string& text) { return set_number(o.session_idle_time, text, 1, 3'650); }},
    {"PASSWORD_DENYLIST", "FILE", "Accounts", "Passwords nobody may choose, one a line (256 MiB at most); not set: none", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.password_denylist = text;
       return {};
     }},
    {"BCRYPT_COST", "NUMBER", "Accounts", "Work to hash a password; each step doubles it", "12",
     [](Options& o, const std::string& text) { return set_number(o.bcrypt_cost, text, 4, 20); }},
    {"USER_DIRECTORY", "MODE", "Accounts",
     "Whom a search for people finds: prefix (of a name or an e-mail), exact (e-mail) or off", "prefix",
     [](Options& o, const std::string& text) {
       return set_choice(o.directory, text,
                         {{"prefix", UserDirectory::prefix}, {"exact", UserDirectory::exact}, {"off", UserDirectory::off}});
     }},
    {"RATE_LIMITS", "LIMITS", "Accounts", "How often is too often: on, off, or what differs, e.g. sends=20/s,logins=5/min:10",
     "on",
     [](Options& o, const std::string& text) -> Result<> {
       auto limits = parse_caller_limits(text);
       if (!limits) return std::unexpected(std::move(limits.error()));
       o.limits = *limits;
       return {};
     }},

    {"MAX_UPLOAD_BYTES", "BYTES", "Media", "Largest file that may be uploaded", "100M",
     [](Options& o, const std::string& text) { return set_bytes(o.max_upload_bytes, text); }},
    {"USER_QUOTA_BYTES", "BYTES", "Media", "What all uploads of one person may come to; 0: any amount", "5G",
     [](Options& o, const std::string& text) { return set_bytes(o.user_quota_bytes, text, 0); }},
    {"MEDIA_STORE", "KIND", "Media", "dir (files under DATA_DIR) or gridfs (in MongoDB, for all servers; the default there)",
     "dir",
     [](Options& o, const std::string& text) {
       return set_choice(o.media_store, text, {{"dir", MediaKind::directory}, {"gridfs", MediaKind::gridfs}});
     }},

    {"DATABASE_URL", "URL", "Database", "mongodb://host/name or mongodb+srv://…; not set: SQLite under DATA_DIR", "",
     [](Options& o, const std::string& text) -> Result<> {
       if (text.starts_with("sqlite:"))
         return fail(Errc::invalid, "SQLite is used when this is not set; it lies under DATA_DIR");
       if (!text.starts_with("mongodb://") && !text.starts_with("mongodb+srv://")) {
         return fail(Errc::invalid, fmt::format("'{}' does not begin with mongodb:// or mongodb+srv://", text));
       }
       o.database_url = text;
       o.database_name = database_in(text);
       return {};
     }},
    {"DATABASE_NAME", "NAME", "Database", "The database at DATABASE_URL, if the URL names none", kDatabaseName,
     [](Options& o, const std::string& text) -> Result<> {
       if (!is_database_name(text)) return fail(Errc::invalid, fmt::format("'{}' is no name of a database", text));
       if (o.database_name.empty()) o.database_name = text;
       return {};
     }},
    {"REDIS_URL", "URL", "Database", "Redis that joins several servers", "", nullptr},
};

std::string flag_of(std::string_view name) {
  std::string flag = "--";
  for (const char c : name) flag += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return flag;
}

// What the commands beside `serve` need.
bool is_about_keys(const Definition& definition) {
  constexpr std::string_view kNames[] = {"DATA_DIR",     "ALGORITHM",    "SECRET_KEY",
                                         "JWT_KEY_FILE", "DATABASE_URL", "DATABASE_NAME"};
  return std::ranges::find(kNames, definition.name) != std::end(kNames);
}

// The number of single edits between two words (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  return *std::ranges::min_element(known, {}, [&](const std::string& name) { return distance(word, name); });
}

// A value and where it was given: "--port", "PORT" or ".env: PORT".
struct Given {
  std::string where, text;
};

std::optional<Given> find_value(const std::string& name, const std::map<std::string, std::string>& flags,
                                const Environment& environment, const std::map<std::string, std::string>& dotenv) {
  if (const auto flag = flags.find(name); flag != flags.end()) return Given{flag_of(name), flag->second};
  if (const auto variable = environment(name); variable && !variable->empty()) return Given{name, *variable};
  if (const auto line = dotenv.find(name); line != dotenv.end() && !line->second.empty()) {
    return Given{".env: " + name, line->second};
  }
  return std::nullopt;
}

Result<Options> resolve(const std::map<std::string, std::string>& flags, const Environment& environment,
                        const std::map<std::string, std::string>& dotenv) {
  std::vector<std::string> names;
  for (const auto& definition : kDefinitions) names.emplace_back(definition.name);
  for (const auto& [name, value] : dotenv) {
    if (std::ranges::find(names, name) == names.end()) {
      return fail(Errc::invalid, fmt::format(".env: unknown option {}; did you mean {}?", name, nearest(name, names)));
    }
  }

  Options options;
  std::set<std::string_view> given;
  for (const auto& definition : kDefinitions) {
    const auto value = find_value(std::string(definition.name), flags, environment, dotenv);
    if (!value) continue;
    given.insert(definition.name);
    if (definition.set == nullptr) return fail(Errc::unsupported, value->where + ": not supported by this version");
    if (const auto set = definition.set(options, value->text); !set) {
      return fail(set.error().code, fmt::format("{}: {}", value->where, set.error().message));
    }
  }

  if (options.algorithm == TokenAlgorithm::hs256) {
    if (options.secret_key.empty())
      return fail(Errc::invalid, "ALGORITHM=HS256 needs SECRET_KEY (make one: openssl rand -hex 32)");
    if (const auto key = TokenKey::from_secret(options.secret_key); !key) {
      return fail(Errc::invalid, "SECRET_KEY: " + key.error().message);
    }
  }
  if (options.on_mongodb()) {
    if (const auto secret = TokenKey::from_secret(options.secret_key); !secret) {
      return fail(Errc::invalid,
                  "MongoDB needs SECRET_KEY, the same on every server: the keys in it are sealed with that; it " +
                      secret.error().message);
    }
    if (!given.contains("MEDIA_STORE")) options.media_store = MediaKind::gridfs;
    if (options.database_name.empty()) options.database_name = kDatabaseName;
    if (!is_database_name(options.database_name)) {
      return fail(Errc::invalid, fmt::format("DATABASE_URL: '{}' is no name of a database", options.database_name));
    }
  } else if (options.media_store == MediaKind::gridfs) {
    return fail(Errc::invalid, "MEDIA_STORE=gridfs needs DATABASE_URL, a MongoDB");
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) return fail(Errc::invalid, "TLS_CERT and TLS_KEY go together");
  return options;
}

// Each end is opened as a server's store would be, so its URL becomes that server's options.
Result<Options> options_of_end(const std::string& url, const std::string& secret_key) {
  Options options;
  options.secret_key = secret_key;
  if (constexpr std::string_view kSqlite = "sqlite://"; url.starts_with(kSqlite)) {
    std::string path = url.substr(kSqlite.size());
    if (path.starts_with("/./") || path.starts_with("/../")) path.erase(0, 1);  // as SQLAlchemy writes what is relative
    if (path.empty()) return fail(Errc::invalid, fmt::format("'{}' names no directory: sqlite:///var/lib/payam", url));
    options.data_dir = path;
    return options;
  }
  if (!url.starts_with("mongodb://") && !url.starts_with("mongodb+srv://")) {
    return fail(Errc::invalid, fmt::format("'{}' begins with none of: sqlite:///, mongodb://, mongodb+srv://", url));
  }
  options.database_url = url;
  options.database_name = database_in(url);
  options.media_store = MediaKind::gridfs;
  if (!is_database_name(options.database_name)) {
    return fail(Errc::invalid, fmt::format("'{}' does not name the database: mongodb://host/NAME", url));
  }
  return options;
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) flags.push_back(option->get_name());
  return flags;
}

struct MigrationFlags {
  std::string from, from_chat_service, to;
};

Result<Command> migration_of(const MigrationFlags& flags, const std::string& secret) {
  Migrate migration;
  migration.from_chat_service = !flags.from_chat_service.empty();
  if (migration.from_chat_service != flags.from.empty()) {
    return fail(Errc::invalid, "migrate needs one of --from and --from-chat-service");
  }
  if (flags.to.empty()) return fail(Errc::invalid, "migrate needs --to");
  auto from = options_of_end(migration.from_chat_service ? flags.from_chat_service : flags.from, secret);
  if (!from) return std::unexpected(from.error());
  auto to = options_of_end(flags.to, secret);
  if (!to) return std::unexpected(to.error());
  if (migration.from_chat_service && !from->on_mongodb()) {
    return fail(Errc::invalid, "--from-chat-service: the original service keeps its data in MongoDB: mongodb://host/NAME");
  }
  const bool seals = to->on_mongodb() || (from->on_mongodb() && !migration.from_chat_service);
  if (const auto key = TokenKey::from_secret(secret); seals && !key) {
    return fail(Errc::invalid, "MongoDB needs SECRET_KEY, the one its servers have; it " + key.error().message);
  }
  migration.from = std::move(*from);
  migration.to = std::move(*to);
  return migration;
}

}  // namespace

Result<Command> parse_command(std::span<const std::string> arguments, const Environment& environment,
                              const std::map<std::string, std::string>& dotenv) {
  CLI::App app("Payam, a chat server: sign-up, rooms, private chats and media in one program.\nIts clients speak Socket.IO.",
               "payam");
  app.footer("Start with:  payam serve      then open http://127.0.0.1:8000/\nOptions:     payam serve --help");
  bool version = false;
  app.add_flag("-V,--version", version, "Print the version and exit");
  app.get_formatter()->column_width(30);

  std::map<std::string, std::string> values;
  CLI::App* serve = app.add_subcommand("serve", "Run the server until it gets SIGINT or SIGTERM");
  CLI::App* invite = app.add_subcommand("invite", "Print an invite, good for one sign-up within a week");
  CLI::App* rotate = app.add_subcommand("rotate-key", "Sign tokens with a new key; a running server takes it within a minute");
  CLI::App* migrate = app.add_subcommand("migrate", "Copy everything into another store, which is empty");
  MigrationFlags migration;
  migrate->add_option("--from", migration.from, "sqlite:///DIRECTORY (a DATA_DIR) or mongodb://HOST/NAME")->type_name("URL");
  migrate
      ->add_option("--from-chat-service", migration.from_chat_service,
                   "The database of the original Python service: mongodb://HOST/NAME")
      ->type_name("URL");
  migrate->add_option("--to", migration.to, "sqlite:///DIRECTORY or mongodb://HOST/NAME")->type_name("URL");
  for (CLI::App* command : {serve, invite, rotate, migrate}) {
    command->allow_extras();
    command->footer(
        "Each option may also come from the environment or a line in .env, by its name in capitals: DATA_DIR=/var/lib/payam.\n"
        "A flag wins over the environment, the environment over .env.");
    command->get_formatter()->column_width(44);
  }
  for (const auto& definition : kDefinitions) {
    std::string help(definition.help);
    if (!definition.standard.empty()) help += fmt::format(" [{}]", definition.standard);
    if (definition.set == nullptr) help = "";
    for (CLI::App* command : {serve, invite, rotate, migrate}) {
      if (command != serve && !is_about_keys(definition)) continue;
      if (command == migrate && definition.name != "SECRET_KEY") continue;  // its URLs say where everything is
      command->add_option(flag_of(definition.name), values[std::string(definition.name)], help)
          ->group(definition.set == nullptr ? "" : std::string(definition.group))
          ->type_name(std::string(definition.value))
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    for (const CLI::App* command : app.get_subcommands()) return Print{command->help("payam")};
    return Print{app.help()};
  } catch (const CLI::ParseError& error) {
    return fail(Errc::invalid, error.what());
  }
  if (version) return Print{fmt::format("payam {}\n", kVersion)};
  if (app.get_subcommands().empty()) return Print{app.help()};
  const CLI::App* command = app.get_subcommands().front();
  for (const auto& extra : command->remaining()) {
    if (!extra.starts_with("-")) return fail(Errc::invalid, fmt::format("unexpected argument '{}'", extra));
    const std::string name = extra.substr(0, extra.find('='));
    return fail(Errc::invalid, fmt::format("unknown option {}; did you mean {}?", name, nearest(name, flags_of(*command))));
  }
  std::erase_if(values, [&](const auto& item) {
    const CLI::Option* option = command->get_option_no_throw(flag_of(item.first));
    return option == nullptr || option->count() == 0;
  });

  if (command == migrate) {
    return migration_of(migration, find_value("SECRET_KEY", values, environment, dotenv).value_or(Given{}).text);
  }
  auto options = resolve(values, environment, dotenv);
  if (!options) return std::unexpected(options.error());
  if (command == rotate) return RotateKey{std::move(*options)};
  if (command == invite) return MakeInvite{std::move(*options)};
  return Serve{std::move(*options)};
}

std::string dotenv_example() {
  std::string out = "# Every option of `payam serve`. The environment wins over this file, a flag over both.\n";
  std::string_view group;
  for (const auto& definition : kDefinitions) {
    if (definition.set == nullptr) continue;
    if (std::exchange(group, definition.group) != definition.group) out += fmt::format("\n# {}\n", definition.group);
    out += fmt::format("\n# {}\n#{}={}\n", definition.help, definition.name, definition.standard);
  }
  return out;
}

}  // namespace payam::chat
