// The program's log: lines on standard error, `2026-11-23T05:52:00.123Z info …`. Never what people write, nor secrets.
#pragma once

#include "chat/app/options.hpp"
#include "http/server/server.hpp"

namespace payam::chat {

// Sets the default logger. Lines are written by a thread of their own; when it falls behind, the oldest are lost rather than
// anyone held up. The destructor writes what is left.
class Log {
 public:
  explicit Log(LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
};

// One line a request; those that come all the time (polling, health) only at debug.
void log_request(const http::RequestRecord& record);

}  // namespace payam::chat
