// Constraints of requests that more than one call has.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/utf8.hpp"
#include "chat/auth/password.hpp"
#include "http/codec/codec.hpp"

namespace payam::chat::api {

// 8 characters at least, 72 bytes at most: bcrypt reads no further, and cutting a password in silence would be a lie.
struct PasswordLength {
  static bool check(http::Reader& reader, std::string& value, const http::json::value& input) {
    if (value.size() > kMaxPasswordBytes) {
      return reader.fault("string_too_long", "Password should have at most 72 bytes", input,
                          {{"max_length", kMaxPasswordBytes}});
    }
    return http::check_length(reader, value, kMinPasswordLength, http::kNoLimit, input);
  }
  static void describe(http::json::object& schema) {
    schema["minLength"] = kMinPasswordLength;
    schema["maxLength"] = kMaxPasswordBytes;
    schema["format"] = "password";
  }
};
using Password = http::Field<std::string, PasswordLength, http::Secret>;
// One that is compared with what is stored, whatever its length.
using GivenPassword = http::SecretText<1, 4096>;

// A name people see stands among other text: no control characters or line breaks, nothing that turns the direction of what
// stands beside it (embeddings, overrides, isolates), something visible, no space around it. Marks and joiners, which names in
// Persian, Arabic or Hindi need, may be in it. What a message says is kept as it is.
struct Presentable {
  static std::optional<std::string> refuse(const std::string& value);
};
using Username = http::Field<std::string, http::Length<1, 64>, Presentable>;
using RoomName = http::Field<std::string, http::Length<1, 100>, Presentable>;

struct PresentableOrEmpty {
  static std::optional<std::string> refuse(const std::string& value) {
    return value.empty() ? std::nullopt : Presentable::refuse(value);
  }
};
using FullName = http::Field<std::string, http::Length<0, 200>, PresentableOrEmpty>;
using Topic = http::Field<std::string, http::Length<0, 500>, PresentableOrEmpty>;

// Exactly one, brought to its recommended form.
struct OneEmoji {
  static bool check(http::Reader& reader, std::string& value, const http::json::value& input);
};
using Emoji = http::Field<std::string, OneEmoji>;

// A number and nothing that merely reads like one: events come from programs, not from forms.
struct JsonNumber {
  static bool precheck(http::Reader& reader, const http::json::value& input) {
    if (input.is_number()) return true;
    return reader.fault("int_type", "Input should be a valid integer", input);
  }
};
using Whole = http::Field<std::int64_t, JsonNumber, http::Range<0, std::numeric_limits<std::int64_t>::max()>>;

inline constexpr std::size_t kMaxContent = 20'000;  // code points
using Content = http::Text<0, kMaxContent>;         // empty only with attachments: the service's rule
using ClientId = http::Text<1, 64>;
using IdText = http::Text<1, 64>;
using Attachments = http::List<IdText, 20>;
inline constexpr std::size_t kMaxMembersAtOnce = 1'000;
using Emails = http::List<http::Email, kMaxMembersAtOnce>;

// E-mails in paths are compared as those in bodies are.
std::string lower_ascii(std::string text);

}  // namespace payam::chat::api
