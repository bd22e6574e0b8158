#include "chat/app/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "chat/auth/token_key.hpp"

namespace payam::chat {
namespace {

constexpr std::string_view kVersion = PAYAM_VERSION;

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
Result<> set_bytes(std::uint64_t& field, const std::string& text) {
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
  const auto value = number_in(digits, 1, (std::int64_t{1} << 53) >> shift);
  if (!value) return fail(Errc::invalid, fmt::format("'{}' is not a size in bytes (1048576, 500K, 100M, 2G)", text));
  field = static_cast<std::uint64_t>(*value) << shift;
  return {};
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
    {"PUBLIC_URL", "URL", "Server", "Where people reach the server", "", nullptr},

    {"SIGNUP", "MODE", "Accounts", "Who may sign up: open (everyone), invite (who was invited) or closed", "open",
     [](Options& o, const std::string& text) {
       return set_choice(o.signup, text,
                         {{"open", SignupMode::open}, {"invite", SignupMode::invite}, {"closed", SignupMode::closed}});
     }},
    {"ALGORITHM", "NAME", "Accounts", "How access tokens are signed: ES256 (own key) or HS256 (SECRET_KEY)", "ES256",
     [](Options& o, const std::string& text) {
       return set_choice(o.algorithm, text, {{"ES256", TokenAlgorithm::es256}, {"HS256", TokenAlgorithm::hs256}});
     }},
    {"SECRET_KEY", "TEXT", "Accounts", "Secret for HS256, 32 bytes or more; better not as a flag, others see those", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.secret_key = text;
       return {};
     }},
    {"JWT_KEY_FILE", "FILE", "Accounts", "Private key for ES256 (PEM, P-256); made under DATA_DIR if not given", "",
     [](Options& o, const std::string& text) -> Result<> {
       o.jwt_key_file = text;
       return {};
     }},
    {"ACCESS_TOKEN_EXPIRE_MINUTES", "MINUTES", "Accounts", "How long an access token lasts", "30",
     [](Options& o, const std::string& text) { return set_number(o.access_token_lifetime, text, 1, 525'600); }},
    {"BCRYPT_COST", "NUMBER", "Accounts", "Work to hash a password; each step doubles it", "12",
     [](Options& o, const std::string& text) { return set_number(o.bcrypt_cost, text, 4, 20); }},
    {"USER_DIRECTORY", "MODE", "Accounts",
     "Whom a search for people finds: prefix (of a name or an e-mail), exact (e-mail) or off", "prefix",
     [](Options& o, const std::string& text) {
       return set_choice(o.directory, text,
                         {{"prefix", UserDirectory::prefix}, {"exact", UserDirectory::exact}, {"off", UserDirectory::off}});
     }},
    {"RATE_LIMITS", "MODE", "Accounts", "on or off: slow guesses, sign-ups and connections, and who sends or joins too often",
     "on", [](Options& o, const std::string& text) { return set_choice(o.rate_limits, text, {{"on", true}, {"off", false}}); }},

    {"MAX_UPLOAD_BYTES", "BYTES", "Media", "Largest file that may be uploaded", "100M",
     [](Options& o, const std::string& text) { return set_bytes(o.max_upload_bytes, text); }},
    {"USER_QUOTA_BYTES", "BYTES", "Media", "What one person may store", "", nullptr},
    {"MEDIA_STORE", "KIND", "Media", "dir: uploads are files under DATA_DIR", "dir",
     [](Options&, const std::string& text) -> Result<> {
       if (text == "dir") return {};
       return fail(Errc::unsupported, fmt::format("'{}' is not supported by this version, only 'dir'", text));
     }},

    {"DATABASE_URL", "URL", "Database", "Not set: SQLite under DATA_DIR", "", nullptr},
    {"DATABASE_NAME", "NAME", "Database", "Name of the database at DATABASE_URL", "", nullptr},
    {"REDIS_URL", "URL", "Database", "Redis that joins several servers", "", nullptr},
};

std::string flag_of(std::string_view name) {
  std::string flag = "--";
  for (const char c : name) flag += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return flag;
}

// What the commands beside `serve` need.
bool is_about_keys(const Definition& definition) {
  constexpr std::string_view kNames[] = {"DATA_DIR", "ALGORITHM", "SECRET_KEY", "JWT_KEY_FILE"};
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
  for (const auto& definition : kDefinitions) {
    const std::string name(definition.name);
    std::string shown = name, text;
    if (const auto flag = flags.find(name); flag != flags.end()) {
      shown = flag_of(name), text = flag->second;
    } else if (const auto variable = environment(name); variable && !variable->empty()) {
      text = *variable;
    } else if (const auto line = dotenv.find(name); line != dotenv.end() && !line->second.empty()) {
      shown = ".env: " + name, text = line->second;
    } else {
      continue;
    }
    if (definition.set == nullptr) return fail(Errc::unsupported, shown + ": not supported by this version");
    if (const auto set = definition.set(options, text); !set) {
      return fail(set.error().code, fmt::format("{}: {}", shown, set.error().message));
    }
  }

  if (options.algorithm == TokenAlgorithm::hs256) {
    if (options.secret_key.empty())
      return fail(Errc::invalid, "ALGORITHM=HS256 needs SECRET_KEY (make one: openssl rand -hex 32)");
    if (const auto key = TokenKey::from_secret(options.secret_key); !key) {
      return fail(Errc::invalid, "SECRET_KEY: " + key.error().message);
    }
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) return fail(Errc::invalid, "TLS_CERT and TLS_KEY go together");
  return options;
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
  std::vector<std::string> flags{"--help"};
  CLI::App* serve = app.add_subcommand("serve", "Run the server until it gets SIGINT or SIGTERM");
  CLI::App* invite = app.add_subcommand("invite", "Print an invite, good for one sign-up within a week");
  CLI::App* rotate = app.add_subcommand("rotate-key", "Sign tokens with a new key; a running server takes it within a minute");
  for (CLI::App* command : {serve, invite, rotate}) {
    command->allow_extras();
    command->footer(
        "Each option may also come from the environment or a line in .env, by its name in capitals: DATA_DIR=/var/lib/payam.\n"
        "A flag wins over the environment, the environment over .env.");
    command->get_formatter()->column_width(44);
  }
  for (const auto& definition : kDefinitions) {
    flags.push_back(flag_of(definition.name));
    std::string help(definition.help);
    if (!definition.standard.empty()) help += fmt::format(" [{}]", definition.standard);
    if (definition.set == nullptr) help = "";
    for (CLI::App* command : {serve, invite, rotate}) {
      if (command != serve && !is_about_keys(definition)) continue;
      command->add_option(flags.back(), values[std::string(definition.name)], help)
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
    return fail(Errc::invalid, fmt::format("unknown option {}; did you mean {}?", name, nearest(name, flags)));
  }
  std::erase_if(values, [&](const auto& item) {
    const CLI::Option* option = command->get_option_no_throw(flag_of(item.first));
    return option == nullptr || option->count() == 0;
  });

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
