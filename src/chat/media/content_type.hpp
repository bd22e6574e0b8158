// What a file is, by what it holds: libmagic.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace payam::chat {

// A MIME type, `application/octet-stream` for what is not known. `descriptor` is a readable file, read from its start without
// moving its position. Reads the disk and, the first time on each thread, the magic database (some 10 ms): on a pool.
std::string detect_content_type(int descriptor);
// The same by its first bytes: kContentTypeBytes of them, or all there are.
inline constexpr std::size_t kContentTypeBytes = 256 * 1024;  // formats show themselves well before
std::string detect_content_type(std::string_view head);

}  // namespace payam::chat
