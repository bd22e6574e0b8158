// A cluster inside one process: for tests, and for a program that runs several servers.
//
//   const auto cluster = std::make_shared<sio::MemoryCluster>();
//   first_options.adapter = cluster->join();
//   second_options.adapter = cluster->join();
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "payam/sio/adapter.hpp"

namespace payam::sio {

// Carries messages in the publisher's thread. Kept by its adapters. Any thread.
class MemoryCluster : public std::enable_shared_from_this<MemoryCluster> {
 public:
  // For one more server; it counts from the server's start to its end.
  std::shared_ptr<Adapter> join();

 private:
  class Member;

  std::vector<std::shared_ptr<Member>> others_of(const Member& member) const;

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Member>> started_;
};

}  // namespace payam::sio
