// Files that are there, and whole, after a power cut. Each call blocks on the disk.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>
#include <system_error>

namespace payam {

// Makes the names in it durable: new ones, renamed ones, removed ones.
std::error_code sync_directory(const std::filesystem::path& directory);

// Writes a file, over the one that may be there, and its bytes to the disk; after a failure there is none. Its name is durable
// once its directory is synced.
std::error_code write_durably(const std::filesystem::path& file, std::string_view bytes, mode_t mode);

}  // namespace payam
