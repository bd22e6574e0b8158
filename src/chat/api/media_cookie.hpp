// The cookie with which a browser fetches pictures for <img>: sent to /media alone, and good for nothing else (its token has an
// audience of its own).
#pragma once

#include <chrono>
#include <string>

namespace payam::chat::api {

inline constexpr std::string_view kMediaCookie = "payam_media";

// The value of Set-Cookie.
std::string media_cookie(const std::string& token, std::chrono::seconds lifetime, bool secure);

}  // namespace payam::chat::api
