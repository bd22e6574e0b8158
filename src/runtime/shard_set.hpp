// The shards of a process that runs its own threads: one thread and one io_context each.
#pragma once

#include <memory>
#include <vector>

#include "runtime/shard.hpp"

namespace payam {

class ShardSet {
 public:
  // Starts `count` threads (at least 1) that wait for work.
  explicit ShardSet(int count);
  // Stops and joins. Closures still queued are destroyed, not run.
  ~ShardSet();

  int size() const { return static_cast<int>(members_.size()); }
  Shard& operator[](int index);

  // Ends the loops once; any thread but a shard's own may join() afterwards.
  void stop();
  void join();

 private:
  struct Member;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace payam
