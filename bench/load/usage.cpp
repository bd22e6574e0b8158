#include "load/usage.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace payam::bench {
namespace {

std::string slurp(const std::string& path) {
  std::string text;
  if (std::FILE* file = std::fopen(path.c_str(), "r")) {
    char buffer[8192];
    for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, got);
    std::fclose(file);
  }
  return text;
}

// The number after `key` in a file of lines `key value`; 0 if there is none.
std::uint64_t field(const std::string& text, const char* key) {
  const auto at = text.find(key);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + std::strlen(key), nullptr, 10);
}

struct Stat {
  pid_t parent = 0;
  std::uint64_t user_ticks = 0, system_ticks = 0;
};

// proc(5): the name in parentheses may hold anything, so the fields are counted from the last parenthesis.
Stat stat_of(pid_t process) {
  Stat stat;
  const std::string text = slurp("/proc/" + std::to_string(process) + "/stat");
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return stat;
  long parent = 0;
  unsigned long long user = 0, system = 0, children_user = 0, children_system = 0;
  std::sscanf(text.c_str() + name_end + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &parent, &user,
              &system, &children_user, &children_system);
  stat.parent = static_cast<pid_t>(parent);
  stat.user_ticks = user + children_user;
  stat.system_ticks = system + children_system;
  return stat;
}

}  // namespace

Usage usage_of(pid_t root) {
  Usage usage;
  if (root == 0) return usage;
  std::map<pid_t, Stat> all;
  if (DIR* directory = opendir("/proc")) {
    while (const dirent* entry = readdir(directory)) {
      if (std::isdigit(static_cast<unsigned char>(entry->d_name[0]))) {
        const auto process = static_cast<pid_t>(std::atoi(entry->d_name));
        all[process] = stat_of(process);
      }
    }
    closedir(directory);
  }
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  for (const auto& [process, stat] : all) {
    pid_t ancestor = process;
    for (auto at = all.find(ancestor); ancestor != root && at != all.end() && ancestor > 1; at = all.find(ancestor)) {
      ancestor = at->second.parent;
    }
    if (ancestor != root) continue;
    usage.user_seconds += static_cast<double>(stat.user_ticks) * tick;
    usage.system_seconds += static_cast<double>(stat.system_ticks) * tick;
    usage.private_bytes += field(slurp("/proc/" + std::to_string(process) + "/status"), "RssAnon:") * 1024;
    ++usage.processes;
  }
  return usage;
}

double own_cpu() {
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  return static_cast<double>(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
         static_cast<double>(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
}

// proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
double machine_cpu() {
  unsigned long long spent[8] = {};
  const std::string text = slurp("/proc/stat");
  std::sscanf(text.c_str(), "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &spent[0], &spent[1], &spent[2], &spent[3],
              &spent[4], &spent[5], &spent[6], &spent[7]);
  const unsigned long long busy = spent[0] + spent[1] + spent[2] + spent[5] + spent[6] + spent[7];
  return static_cast<double>(busy) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::uint64_t kernel_bytes() {
  const std::string sockets = slurp("/proc/net/sockstat");
  const auto tcp = sockets.find("TCP:");
  const std::uint64_t pages = tcp == std::string::npos ? 0 : field(sockets.substr(tcp), " mem ");
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + field(slurp("/proc/meminfo"), "SUnreclaim:") * 1024;
}

}  // namespace payam::bench
