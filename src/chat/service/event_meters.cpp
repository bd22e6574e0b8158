#include "chat/service/event_meters.hpp"

#include <map>

namespace payam::chat {

std::vector<EventMeters::Count> EventMeters::counts() const {
  std::vector<Count> list;
  for (const Meter& meter : meters_) {
    std::map<std::string_view, std::uint64_t> results;  // two Errcs may have one name
    for (const auto& shard : meter.by_shard_) {
      for (std::size_t i = 0; i < Meter::kResults; ++i) {
        if (const auto n = shard[i].get()) results[i == 0 ? "ok" : to_string(static_cast<Errc>(i - 1))] += n;
      }
    }
    for (const auto& [result, count] : results) list.push_back({meter.event_, result, count});
  }
  return list;
}

}  // namespace payam::chat
