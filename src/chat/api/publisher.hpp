// Turns commits into Socket.IO broadcasts, in the order of commits: messages to their room; membership as joins and leaves of
// the users' sockets, on every device at once, and events about it. A message is serialised once, however many receive it.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "chat/api/membership_epochs.hpp"
#include "chat/model.hpp"
#include "chat/service/presence.hpp"
#include "chat/service/read_markers.hpp"
#include "chat/service/sessions.hpp"
#include "payam/sio/namespace.hpp"

namespace payam::chat::api {

// The Socket.IO room in which every socket of a user is. No id of a chat room looks so.
std::string user_room(const UserId& user);
// In which every socket is that connected with a token of the session.
std::string session_room(const SessionId& session);

class Publisher {
 public:
  // `epochs` outlives this.
  Publisher(sio::Namespace sockets, MembershipEpochs& epochs) : sockets_(std::move(sockets)), epochs_(epochs) {}

  // The store's observer; on its thread. What goes wrong is logged there and here forgotten: the log of the room has it.
  void publish(std::span<const Commit> commits) noexcept;

  // The read markers' and the presence service's; on their home shard.
  void announce(const ReadNews& news);
  void announce(const PresenceChange& change, const std::vector<UserId>& audience);

  // Tells the sockets of a session, or of a user, why they are closed, and closes them. Any thread.
  void close(const std::variant<SessionId, UserId>& whose, SessionEnd why);

 private:
  void publish(const Commit& commit);
  void arrive(const Commit& commit, const std::vector<Participant>& arrived);
  void go(const Commit& commit, const UserId& gone);
  void tell_others(const Commit& commit, std::vector<std::string> except);

  sio::Namespace sockets_;
  MembershipEpochs& epochs_;
};

}  // namespace payam::chat::api
