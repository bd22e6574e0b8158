#include "memory/allocations.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace payam::bench {
namespace {

std::atomic<std::uint64_t> count{0};
std::atomic<std::int64_t> bytes{0};

// What glibc takes for a block: a word before it, all rounded up to two words, four at least. Reckoned, so that it is the same
// in the sanitizers' build, whose allocator knows no rounding.
std::int64_t taken(void* memory) {
  constexpr std::size_t kWord = sizeof(void*);
  if (memory == nullptr) return 0;
  const std::size_t size = malloc_usable_size(memory) + kWord;
  return static_cast<std::int64_t>(std::max((size + 2 * kWord - 1) / (2 * kWord) * (2 * kWord), 4 * kWord));
}

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  count.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(taken(memory), std::memory_order_relaxed);
  return memory;
}

void release(void* memory) {
  bytes.fetch_sub(taken(memory), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

Allocations allocations() { return {count.load(std::memory_order_relaxed), bytes.load(std::memory_order_relaxed)}; }

}  // namespace payam::bench

void* operator new(std::size_t size) { return payam::bench::counted(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return payam::bench::counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}
void operator delete(void* memory) noexcept { payam::bench::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { payam::bench::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { payam::bench::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { payam::bench::release(memory); }
