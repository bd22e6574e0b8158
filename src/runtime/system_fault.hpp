// What a failed system call is to whoever asked for the work.
#pragma once

namespace payam {

// No space on the disk, or in the quota of the server's own system user.
bool is_out_of_space(int error);
// No descriptor, memory or process left; there may be some a moment later.
bool is_out_of_resources(int error);

// Throws OutOfStorage, Unavailable or, for any other errno, std::system_error. `step` is for the log: "write an upload".
[[noreturn]] void throw_system_fault(int error, const char* step);

}  // namespace payam
