#include "chat/app/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <span>

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

constexpr const char* kTextLine = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr const char* kJsonLine = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

log::Level level_of(const http::RequestRecord& record) {
  if (!record.fault.empty()) return log::Level::error;
  constexpr std::string_view kRoutine[] = {"/healthz", "/readyz", "/metrics"};
  // Polls that are turned away for want of room are counted in /metrics; anybody could make a line for each.
  const bool poll = record.pattern.ends_with("/socket.io/") && (record.status < 500 || record.status == 503);
  const bool routine = std::ranges::find(kRoutine, record.pattern) != std::end(kRoutine) && record.status < 500;
  return poll || routine ? log::Level::debug : log::Level::info;
}

}  // namespace

LogWriter::LogWriter(LogLevel level, log::Format format) {
  spdlog::init_thread_pool(kQueuedLines, 1);
  auto logger = std::make_shared<spdlog::async_logger>("payam", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                       spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(to_spdlog(level));
  logger->set_pattern(format == log::Format::json ? kJsonLine : kTextLine, spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  log::set_format(format);
}

LogWriter::~LogWriter() { spdlog::shutdown(); }

void log_request(const http::RequestRecord& record) {
  const log::Level level = level_of(record);
  if (!log::enabled(level)) return;
  // The pattern instead of the path, which names people and files.
  const std::string_view route = record.pattern.empty() ? "(none)" : record.pattern;
  const std::string_view method = http::to_string(http::parse_method(record.method));
  const log::Field fields[] = {
      {"method", method.empty() ? "other" : method}, {"route", route},      {"status", record.status}, {"bytes", record.bytes},
      {"ms", log::milliseconds(record.duration)},    {"peer", record.peer}, {"id", record.id},         {"error", record.fault}};
  log::write(level, "request", std::span(fields, std::size(fields) - (record.fault.empty() ? 1 : 0)));
}

}  // namespace payam::chat
