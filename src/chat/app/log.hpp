// Where the lines of chat/service/log.hpp go: standard error.
#pragma once

#include "chat/app/options.hpp"
#include "http/server/server.hpp"

namespace payam::chat {

// Lines are written by a thread of their own; when it falls behind, the oldest are lost rather than anyone held up. The
// destructor writes what is left.
class LogWriter {
 public:
  LogWriter(LogLevel level, log::Format format);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
};

// One line a request; those that come all the time (polling, health, metrics) only at debug.
void log_request(const http::RequestRecord& record);

}  // namespace payam::chat
