// `payam migrate`: everything of one store into another, or the original service's data into one of ours. Nobody else uses
// either meanwhile: data directories are locked, and servers on a MongoDB are the operator's to stop.
#pragma once

#include <functional>
#include <string>

#include "chat/app/options.hpp"

namespace payam::chat {

// Runs to the end and gives its report, which says `the same on both sides` once that was checked. Made again after it was
// stopped it goes on. Throws std::runtime_error with a line for the operator; then nothing may be served from the target.
std::string run_migration(const Migrate& migration);

// What stands in a store while a copy into it is not finished: a collection, or a file of the data directory.
inline constexpr const char* kUnfinishedMigration = "migration";

}  // namespace payam::chat
