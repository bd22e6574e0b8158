#include "chat/app/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace payam::chat {
namespace {

constexpr std::size_t kQueuedLines = 1024;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

spdlog::level::level_enum level_of(const http::RequestRecord& record) {
  if (!record.fault.empty()) return spdlog::level::err;
  const bool routine = record.pattern.starts_with("/socket.io") || record.pattern == "/healthz" || record.pattern == "/readyz";
  return routine && record.status < 500 ? spdlog::level::debug : spdlog::level::info;
}

}  // namespace

Log::Log(LogLevel level) {
  spdlog::init_thread_pool(kQueuedLines, 1);
  auto logger = std::make_shared<spdlog::async_logger>("payam", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                       spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(to_spdlog(level));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

Log::~Log() { spdlog::shutdown(); }

void log_request(const http::RequestRecord& record) {
  // The pattern instead of the path, which names people.
  const std::string_view path = record.pattern.empty() ? "(no route)" : record.pattern;
  spdlog::log(level_of(record), "{} {} {} {}B {}ms {} {}{}{}", record.method.empty() ? "-" : record.method, path, record.status,
              record.bytes, record.duration.count(), record.peer, record.id, record.fault.empty() ? "" : ": ", record.fault);
}

}  // namespace payam::chat
