// The embedded store's database as plain records (transfer.hpp).
#pragma once

#include <filesystem>
#include <memory>

#include "chat/store/transfer.hpp"

namespace payam::chat {

// Opens the file, or makes it. Throws std::runtime_error with a text for the operator.
std::unique_ptr<transfer::Archive> open_sqlite_archive(const std::filesystem::path& path);

}  // namespace payam::chat
