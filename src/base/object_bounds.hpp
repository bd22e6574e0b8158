// What the objects of one JSON text or MessagePack map may cost. Boost.JSON finds members by a hash that whoever sends them can
// make collide (FNV-1a; its salt is an address), so that each member may be compared with all before it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace payam {

// Counts while the text is read.
class ObjectBounds {
 public:
  static constexpr std::size_t kMaxMembers = 1'024;
  // Comparisons of all objects together, at worst: some twenty milliseconds. Fifteen objects of kMaxMembers are within it, or a
  // million bytes of objects of two hundred members each.
  static constexpr std::uint64_t kMaxComparisons = 8'000'000;
  static constexpr std::size_t kUnbounded = SIZE_MAX;

  // kUnbounded for a text that comes from the program itself.
  explicit ObjectBounds(std::size_t max_members = kMaxMembers) : max_members_(max_members) {}

  void begin() { open_.push_back(0); }
  // A key of the innermost object. False: too many.
  bool member() {
    std::size_t& members = open_.back();
    comparisons_ += members;
    ++members;
    return max_members_ == kUnbounded || (members <= max_members_ && comparisons_ <= kMaxComparisons);
  }
  void end() { open_.pop_back(); }
  void restart(std::size_t max_members) {
    open_.clear();
    comparisons_ = 0;
    max_members_ = max_members;
  }

 private:
  std::vector<std::size_t> open_;  // members so far of each object that is open
  std::uint64_t comparisons_ = 0;
  std::size_t max_members_;
};

// Where in a JSON text the first member too many begins its value; npos: nowhere. Of a text that is not JSON the answer is of
// no use, but has no other harm. Looks no deeper than `max_depth`, where its reader stops too.
std::size_t find_member_too_many(std::string_view json, std::size_t max_depth,
                                 std::size_t max_members = ObjectBounds::kMaxMembers);

}  // namespace payam
