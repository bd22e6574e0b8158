// Statuses and their words (RFC 9110 section 15).
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace payam::http {

// "" for one unknown.
std::string_view reason_phrase(int status);

// {"detail":"Not Found"}, with the fields the status asks for: where there is no more to say.
Response refuse_plainly(int status);

}  // namespace payam::http
