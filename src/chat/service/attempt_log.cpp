#include "chat/service/attempt_log.hpp"

#include <string_view>

#include "base/network.hpp"
#include "chat/service/log.hpp"

namespace payam::chat {
namespace {

std::string_view name_of(Attempt attempt) {
  switch (attempt) {
    case Attempt::sign_in_failed: return "sign_in_failed";
    case Attempt::sign_in_throttled: return "sign_in_throttled";
    case Attempt::sign_up_throttled: return "sign_up_throttled";
    case Attempt::password_wrong: return "password_wrong";
  }
  return "";
}

}  // namespace

void AttemptLog::Line::write(SteadyTime now) {
  if (since > 0) log::info(name_of(attempt), {{"address", network}, {"count", since}});
  since = 0;
  written = now;
}

AttemptLog::~AttemptLog() { write_all({}); }

void AttemptLog::count(Attempt attempt, const std::string& address, SteadyTime now) {
  const std::string network = network_of(address);
  const std::string key = static_cast<char>('0' + static_cast<int>(attempt)) + network;
  const std::lock_guard lock(mutex_);
  auto found = lines_.find(key);
  if (found == lines_.end()) {
    if (lines_.size() >= kMostLines) {
      write_all(now);
      lines_.clear();
    }
    found = lines_.emplace(key, Line{attempt, network, now - kEvery}).first;
  }
  Line& line = found->second;
  ++line.since;
  if (now - line.written >= kEvery) line.write(now);
}

void AttemptLog::tend(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  for (auto at = lines_.begin(); at != lines_.end();) {
    Line& line = at->second;
    if (now - line.written < kEvery) {
      ++at;
    } else if (line.since == 0) {
      at = lines_.erase(at);
    } else {
      line.write(now);
      ++at;
    }
  }
}

void AttemptLog::write_all(SteadyTime now) {
  for (auto& [key, line] : lines_) line.write(now);
}

}  // namespace payam::chat
