#include "chat/api/publisher.hpp"

#include <type_traits>
#include <variant>

#include "chat/api/realtime_events.hpp"
#include "chat/api/replies.hpp"
#include "chat/service/log.hpp"

namespace payam::chat::api {

std::string user_room(const UserId& user) { return "user:" + user.str(); }
std::string session_room(const SessionId& session) { return "session:" + session.str(); }

void Publisher::publish(std::span<const Commit> commits) noexcept {
  for (const Commit& commit : commits) {
    try {
      publish(commit);
    } catch (const std::exception& error) {
      log::error("publish_failed",
                 {{"room", commit.entry.room.str()}, {"rev", commit.entry.rev.value}, {"error", error.what()}});
    }
  }
}

void Publisher::publish(const Commit& commit) {
  std::visit(
      [&](const auto& body) {
        using Body = std::remove_cvref_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, MessageAdded>) {
          emit<BroadcastMessage>(sockets_.to(commit.entry.room.str()), message_reply(body.message));
        } else if constexpr (std::is_same_v<Body, MessageUpdated>) {
          emit<MessageUpdatedEmitted>(sockets_.to(commit.entry.room.str()), message_reply(body.message));
        } else if constexpr (std::is_same_v<Body, MemberRemoved> || std::is_same_v<Body, AccountErased>) {
          go(commit, body.member.user);
          tell_others(commit, {});
        } else if constexpr (std::is_same_v<Body, RoomDeleted>) {
          for (const Member& member : commit.after.value().members) go(commit, member.user);
        } else if constexpr (std::is_same_v<Body, RoleChanged> || std::is_same_v<Body, RoomUpdated>) {
          tell_others(commit, {});
        } else {
          arrive(commit, body.members);
        }
      },
      commit.entry.body);
}

void Publisher::arrive(const Commit& commit, const std::vector<Participant>& arrived) {
  std::vector<std::string> rooms;
  for (const Participant& participant : arrived) {
    epochs_.changed(participant.user);
    rooms.push_back(user_room(participant.user));
  }
  if (rooms.empty()) return;
  const auto theirs = sockets_.to(rooms);
  theirs.sockets_join(commit.entry.room.str());
  emit<RoomAdded>(theirs, room_state_reply(commit.after.value()));
  if (!std::holds_alternative<RoomCreated>(commit.entry.body)) tell_others(commit, std::move(rooms));
}

void Publisher::go(const Commit& commit, const UserId& gone) {
  epochs_.changed(gone);
  const auto theirs = sockets_.to(user_room(gone));
  theirs.sockets_leave(commit.entry.room.str());
  emit<RoomRemoved>(theirs, {commit.entry.room, commit.entry.rev});
}

void Publisher::tell_others(const Commit& commit, std::vector<std::string> except) {
  const Room& room = commit.after.value().room;
  RoomUpdatedEvent event{room.id, room.name, room.topic, room.rev, room.last_seq, change_reply(commit.entry).value()};
  emit<RoomUpdatedEmitted>(sockets_.to(room.id.str()).except(std::move(except)), event);
}

void Publisher::announce(const ReadNews& news) {
  emit<ReadEmitted>(sockets_.to(news.room.str()), {news.room, news.email, news.seq});
}

void Publisher::announce(const PresenceChange& change, const std::vector<UserId>& audience) {
  std::vector<std::string> rooms;
  for (const UserId& user : audience) rooms.push_back(user_room(user));
  if (rooms.empty()) return;  // no room would mean everyone
  emit<PresenceEmitted>(sockets_.to(std::move(rooms)), {change.email, change.is_online, change.last_seen});
}

void Publisher::close(const std::variant<SessionId, UserId>& whose, SessionEnd why) {
  const auto* session = std::get_if<SessionId>(&whose);
  const auto theirs = sockets_.to(session != nullptr ? session_room(*session) : user_room(std::get<UserId>(whose)));
  emit<SessionEnded>(theirs, {why});
  theirs.disconnect_sockets(true);
}

}  // namespace payam::chat::api
