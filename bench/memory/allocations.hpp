// Every operator new of the program, counted. Linking allocations.cpp replaces the global operators.
#pragma once

#include <cstddef>
#include <cstdint>

namespace payam::bench {

struct Allocations {
  std::uint64_t count = 0;  // ever made
  std::int64_t bytes = 0;   // held now, with what the allocator adds
};

Allocations allocations();

}  // namespace payam::bench
