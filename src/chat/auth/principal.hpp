// Who acts: what a verified token stands for.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "chat/auth/token.hpp"
#include "chat/model.hpp"

namespace payam::chat {

struct Principal {
  UserId user;
  std::string email;
  std::string username;
  SessionId session;
  Audience audience = Audience::api;
  Timestamp expires_at{};  // of the token

  bool operator==(const Principal&) const = default;
};

}  // namespace payam::chat
