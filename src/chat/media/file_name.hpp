// The name an uploader gives a file. Never a path, never trusted. Pure.
#pragma once

#include <string>
#include <string_view>

namespace payam::chat {

inline constexpr std::size_t kMaxFileName = 255;  // bytes

// The last segment of what was given (either slash), without control characters, at most kMaxFileName bytes (an extension is
// kept); `file` if nothing is left. `name` is valid UTF-8.
std::string clean_file_name(std::string_view name);

// `/media/{id}/{name}`, the name percent-encoded.
std::string media_path(std::string_view id, std::string_view name);

// The value of Content-Disposition (RFC 6266, RFC 8187); what is neither image, audio nor video is saved, not shown. Nor is an
// SVG shown, which may hold scripts.
std::string content_disposition(std::string_view name, std::string_view content_type);

}  // namespace payam::chat
