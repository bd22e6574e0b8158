// What a file is, by what it holds: libmagic.
#pragma once

#include <string>

namespace payam::chat {

// A MIME type, `application/octet-stream` for what is not known. `descriptor` is a readable file, read from its start without
// moving its position. Reads the disk and, the first time on each thread, the magic database (some 10 ms): on a pool.
std::string detect_content_type(int descriptor);

}  // namespace payam::chat
