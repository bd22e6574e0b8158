// payam: reads the options, runs the server until it is told to stop.
#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>

#include "chat/app/application.hpp"
#include "chat/app/dotenv.hpp"
#include "chat/app/log.hpp"
#include "chat/app/migrate.hpp"
#include "chat/app/options.hpp"
#include "chat/app/signing_keys.hpp"
#include "chat/app/stores.hpp"
#include "chat/app/waiting_room.hpp"
#include "chat/auth/key_file.hpp"

namespace payam::chat {
namespace {

constexpr Millis kDrainTime{10'000};

int complain(const std::string& text) {
  fmt::print(stderr, "payam: {}\n", text);
  return EXIT_FAILURE;
}

// `.env` of the working directory; empty if there is none.
Result<std::map<std::string, std::string>> read_dotenv() {
  std::ifstream file(".env");
  if (!file) return {};
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto values = parse_dotenv(text);
  if (!values) return fail(values.error().code, ".env: " + values.error().message);
  return values;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// A connection is a descriptor: as many as the system lets us.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

bool stopped_within(const sigset_t& signals, std::chrono::seconds time) {
  const timespec limit{.tv_sec = time.count(), .tv_nsec = 0};
  return sigtimedwait(&signals, nullptr, &limit) >= 0;
}

std::string address_to_open(const Options& options, std::uint16_t port) {
  std::string host = options.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = '[' + host + ']';
  return fmt::format("{}://{}:{}/", options.tls_cert.empty() ? "http" : "https", host, port);
}

// Empty: it answers; else why not. Throws what waiting does not mend: a wrong password.
std::string why_away(mongo::Client& database) {
  try {
    database.connect().command(mongo::doc("ping", 1));
    return "";
  } catch (const Unavailable& outage) {
    return outage.what();
  }
}

// Listens meanwhile; a port the system chose is then `options`'s. False if a signal came first.
bool wait_for_database(mongo::Client& database, Options& options, const sigset_t& signals) {
  const std::string why = why_away(database);
  if (why.empty()) return true;
  const WaitingRoom room(options);
  options.port = room.port();
  log::warn("database_away", {{"hint", "every request is answered with 503 until it is back"}, {"error", why}});
  do {
    if (stopped_within(signals, std::chrono::seconds(1))) return false;
  } while (!why_away(database).empty());
  log::info("database_back", {});
  return true;
}

// Null if a signal came first.
std::unique_ptr<Application> open_application(Options options, mongo::Client* database, const sigset_t& signals) {
  for (;;) {
    if (database != nullptr && !wait_for_database(*database, options, signals)) return nullptr;
    try {
      auto application = std::make_unique<Application>(options, database);
      application->start();
      return application;
    } catch (const Unavailable& outage) {
      log::warn("database_away", {{"error", outage.what()}});
    }
  }
}

int serve(const Options& options) {
  // Every thread inherits the mask: the signals wait for sigtimedwait().
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();

  const LogWriter writer(options.log_level, options.log_format);
  try {
    const auto database = open_database(options);
    const auto application = open_application(options, database.get(), signals);
    if (!application) return EXIT_SUCCESS;
    log::info("ready", {{"open", address_to_open(options, application->port())},
                        {"data", database ? "MongoDB, " + database->database() : options.data_dir.string()},
                        {"version", PAYAM_VERSION}});
    while (!stopped_within(signals, kReloadTime / 2)) application->tend();
    log::info("stopping", {{"hint", "a second signal ends it at once"}});
    // From here on a signal does what it always does.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    application->stop(kDrainTime);
    log::info("stopped", {});
  } catch (const std::exception& error) {
    return complain(error.what());
  }
  return EXIT_SUCCESS;
}

// What a command prints that does one thing.
int print(const Result<std::string>& text) {
  if (!text) return complain(text.error().message);
  fmt::print("{}\n", *text);
  return EXIT_SUCCESS;
}

int run(std::span<const std::string> arguments) {
  const auto dotenv = read_dotenv();
  if (!dotenv) return complain(dotenv.error().message);
  const auto command = parse_command(arguments, environment, *dotenv);
  if (!command) return complain(command.error().message);
  if (const auto* print = std::get_if<Print>(&*command)) {
    fmt::print("{}", print->text);
    return EXIT_SUCCESS;
  }
  if (const auto* rotate = std::get_if<RotateKey>(&*command)) {
    const auto database = open_database(rotate->options);
    return print(rotate_signing_key(rotate->options, database.get(), wall_now()));
  }
  if (const auto* invite = std::get_if<MakeInvite>(&*command)) {
    const auto database = open_database(invite->options);
    return print(make_signup_invite(invite->options, database.get(), wall_now()));
  }
  if (const auto* migration = std::get_if<Migrate>(&*command)) return print(run_migration(*migration));
  return serve(std::get<Serve>(*command).options);
}

}  // namespace
}  // namespace payam::chat

int main(int count, char** arguments) {
  const std::vector<std::string> rest(arguments + 1, arguments + count);
  try {
    return payam::chat::run(rest);
  } catch (const std::exception& error) {
    return payam::chat::complain(error.what());
  }
}
