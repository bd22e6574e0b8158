// Sending, changing what was sent, history, and what was missed. Any shard.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/budget.hpp"
#include "base/error.hpp"
#include "chat/model.hpp"
#include "chat/service/clock.hpp"
#include "chat/service/holding_limits.hpp"
#include "chat/service/outcome_counts.hpp"
#include "chat/store/store.hpp"
#include "runtime/task.hpp"

namespace payam::chat {

// A message as its sender wrote it.
struct Draft {
  RoomId room;
  std::string content;
  std::optional<std::string> client_id;
  std::optional<MessageId> reply_to;
  std::vector<UploadId> attachments;
};

struct Sent {
  Message message;
  bool repeated = false;  // a retry: the first one
};

// Where a client that comes back stands in a room.
using Position = std::variant<Seq, Rev>;

class Messages {
 public:
  // `store` outlives this.
  explicit Messages(Store& store, WallClock clock = wall_now, const Budget::Bounds& searches = HoldingLimits().searches)
      : store_(store), clock_(clock), searches_(searches) {}

  // What one thread sends is committed in the order of the calls, each started before the next is.
  // Errc::invalid: nothing to send.
  Task<Result<Sent>> send(UserId sender, Draft draft);
  const OutcomeCounts& sends() const { return sends_; }

  // What happens to a message afterwards: each gives it as it then is, also where all was so already.
  Task<Result<Message>> edit(UserId actor, MessageRef message, std::string content);
  Task<Result<Message>> erase(UserId actor, MessageRef message);  // leaves a tombstone
  Task<Result<Message>> react(UserId actor, MessageRef message, std::string emoji, bool on);
  Task<Result<Message>> pin(UserId actor, MessageRef message, bool on);

  Task<Result<PinPage>> pinned(RoomId room, UserId viewer, PinQuery query);
  Task<Result<HistoryPage>> history(RoomId room, UserId viewer, HistoryQuery query);
  // As Store::search(); `caller.user` is the viewer. Errc::rate_limited: the user or the address has too many under way.
  Task<Result<SearchPage>> search(Caller caller, SearchQuery query, std::stop_token stop);
  const Budget& searches() const { return searches_; }
  Task<Result<CatchUp>> catch_up(RoomId room, UserId viewer, Position from);
  // The same for many rooms, about CatchUpLimit in all; rooms that are not the viewer's are left out, and a room that
  // did not fit any more says `more` without anything else.
  Task<std::map<RoomId, CatchUp>> catch_up_all(UserId viewer, std::map<RoomId, Position> from);

 private:
  Task<Result<Message>> update(Change change);
  Task<Result<CatchUp>> catch_up_within(RoomId room, UserId viewer, Position from, CatchUpLimit limit);

  Task<Result<Sent>> try_to_send(UserId sender, Draft draft);

  Store& store_;
  const WallClock clock_;
  Budget searches_;
  OutcomeCounts sends_;
};

}  // namespace payam::chat
