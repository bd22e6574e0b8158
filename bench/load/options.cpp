#include "load/options.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>

namespace payam::bench {
namespace {

constexpr std::pair<const char*, Scenario> kScenarios[] = {
    {"fan-out", Scenario::fan_out}, {"rate", Scenario::rate}, {"echo", Scenario::echo},
    {"connect", Scenario::connect}, {"idle", Scenario::idle}, {"flood", Scenario::flood},
};

[[noreturn]] void usage(const std::string& wrong) {
  std::fprintf(stderr,
               "%s\n"
               "payam-load SCENARIO [--port N] [--path P] [--server PID] [--receivers N] [--publishers N] [--rooms N]\n"
               "  [--memberships N] [--rate DELIVERIES] [--seconds S] [--warm-up S] [--limit S] [--window N] [--bytes N]\n"
               "  [--stalled N] [--polling] [--binary] [--deflate] [--series]\n"
               "SCENARIO: fan-out, rate, echo, connect, idle, flood. The result is one line of JSON.\n",
               wrong.c_str());
  std::exit(2);
}

double number(const char* name, const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || value < 0) usage(std::string("not a number: ") + name + " " + text);
  return value;
}

}  // namespace

const char* to_string(Scenario scenario) {
  for (const auto& [name, value] : kScenarios) {
    if (value == scenario) return name;
  }
  return "";
}

Options parse_options(int argc, char** argv) {
  Options options;
  const std::map<std::string_view, int*> integers = {
      {"--port", &options.port},
      {"--server", &options.server},
      {"--receivers", &options.receivers},
      {"--rooms", &options.rooms},
      {"--memberships", &options.memberships},
      {"--publishers", &options.publishers},
      {"--window", &options.window},
      {"--bytes", &options.bytes},
      {"--stalled", &options.stalled},
  };
  const std::map<std::string_view, double*> reals = {
      {"--rate", &options.rate}, {"--seconds", &options.seconds}, {"--warm-up", &options.warm_up}, {"--limit", &options.limit}};
  const std::map<std::string_view, bool*> flags = {{"--polling", &options.polling},
                                                   {"--binary", &options.binary},
                                                   {"--deflate", &options.deflate},
                                                   {"--series", &options.series}};
  if (argc < 2) usage("no scenario");
  bool known = false;
  for (const auto& [name, value] : kScenarios) {
    if (std::string_view(name) == argv[1]) options.scenario = value, known = true;
  }
  if (!known) usage(std::string("unknown scenario: ") + argv[1]);
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (const auto flag = flags.find(name); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    if (i + 1 == argc) usage("unknown option, or one without its value: " + std::string(name));
    const char* value = argv[++i];
    if (const auto integer = integers.find(name); integer != integers.end()) {
      *integer->second = static_cast<int>(number(argv[i - 1], value));
    } else if (const auto real = reals.find(name); real != reals.end()) {
      *real->second = number(argv[i - 1], value);
    } else if (name == "--path") {
      options.path = value;
    } else {
      usage("unknown option: " + std::string(name));
    }
  }
  if (options.receivers < 1 || options.publishers < 1 || options.publishers > options.receivers || options.publishers > 26 ||
      options.rooms < 1 || options.memberships < 1 || options.memberships > 30 || options.memberships > options.rooms ||
      options.stalled >= options.receivers) {
    usage("these numbers do not go together");
  }
  return options;
}

}  // namespace payam::bench
