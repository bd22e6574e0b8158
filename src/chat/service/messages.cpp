#include "chat/service/messages.hpp"

#include "base/ulid.hpp"
#include "chat/store/pages.hpp"
#include "runtime/unavailable.hpp"

namespace payam::chat {
Task<Result<Sent>> Messages::send(UserId sender, Draft draft) {
  try {
    auto sent = co_await try_to_send(std::move(sender), std::move(draft));
    sends_.count(sent ? std::nullopt : std::optional(sent.error().code));
    co_return sent;
  } catch (...) {
    sends_.count(Errc::unavailable);
    throw;
  }
}

Task<Result<Sent>> Messages::try_to_send(UserId sender, Draft draft) {
  if (draft.content.empty() && draft.attachments.empty()) {
    co_return fail(Errc::invalid, "A message without attachments needs content");
  }
  const Timestamp now = clock_();
  Change change = SendMessage{.room = std::move(draft.room),
                              .sender = std::move(sender),
                              .id = MessageId(new_ulid(now)),
                              .content = std::move(draft.content),
                              .client_id = std::move(draft.client_id),
                              .reply_to = std::move(draft.reply_to),
                              .attachments = std::move(draft.attachments),
                              .at = now};
  auto commit = co_await store_.commit(std::move(change));
  if (!commit) co_return std::unexpected(std::move(commit.error()));
  co_return Sent{std::get<MessageAdded>(std::move(commit->entry.body)).message, commit->repeated};
}

Task<Result<Message>> Messages::update(Change change) {
  auto commit = co_await store_.commit(std::move(change));
  if (!commit) co_return std::unexpected(std::move(commit.error()));
  co_return std::get<MessageUpdated>(std::move(commit->entry.body)).message;
}

Task<Result<Message>> Messages::edit(UserId actor, MessageRef message, std::string content) {
  Change change = EditMessage{std::move(message), std::move(actor), std::move(content), clock_()};
  return update(std::move(change));
}

Task<Result<Message>> Messages::erase(UserId actor, MessageRef message) {
  Change change = DeleteMessage{std::move(message), std::move(actor), clock_()};
  return update(std::move(change));
}

Task<Result<Message>> Messages::react(UserId actor, MessageRef message, std::string emoji, bool on) {
  Change change = React{std::move(message), std::move(actor), std::move(emoji), on, clock_()};
  return update(std::move(change));
}

Task<Result<Message>> Messages::pin(UserId actor, MessageRef message, bool on) {
  Change change = PinMessage{std::move(message), std::move(actor), on, clock_()};
  return update(std::move(change));
}

Task<Result<PinPage>> Messages::pinned(RoomId room, UserId viewer, PinQuery query) {
  return store_.pinned_messages(std::move(room), std::move(viewer), query);
}

Task<Result<HistoryPage>> Messages::history(RoomId room, UserId viewer, HistoryQuery query) {
  return store_.history(std::move(room), std::move(viewer), query);
}

Task<Result<SearchPage>> Messages::search(Caller caller, SearchQuery query, std::stop_token stop) {
  const auto held = searches_.take(caller);
  if (!held) {
    if (held.error() == Budget::Over::total) throw Overloaded("too many searches at once");
    co_return fail(Errc::rate_limited, "Too many searches at once; try again later");
  }
  co_return co_await store_.search(UserId(caller.user), std::move(query), std::move(stop));
}

Task<Result<CatchUp>> Messages::catch_up(RoomId room, UserId viewer, Position from) {
  return catch_up_within(std::move(room), std::move(viewer), from, CatchUpLimit{});
}

Task<Result<CatchUp>> Messages::catch_up_within(RoomId room, UserId viewer, Position from, CatchUpLimit limit) {
  if (const auto* seq = std::get_if<Seq>(&from)) return store_.messages_after(std::move(room), std::move(viewer), *seq, limit);
  return store_.changes_after(std::move(room), std::move(viewer), std::get<Rev>(from), limit);
}

Task<std::map<RoomId, CatchUp>> Messages::catch_up_all(UserId viewer, std::map<RoomId, Position> from) {
  std::map<RoomId, CatchUp> result;
  CatchUpLimit left;
  for (const auto& [room, position] : from) {
    if (left.bytes == 0 || left.entries == 0) {
      // The client asks again from where it stands.
      if (!co_await store_.is_member(room, viewer)) continue;
      CatchUp& page = result[room];
      if (const auto* seq = std::get_if<Seq>(&position)) page.seq = *seq;
      if (const auto* rev = std::get_if<Rev>(&position)) page.rev = *rev;
      page.more = true;
      continue;
    }
    auto page = co_await catch_up_within(room, viewer, position, left);
    if (!page) continue;
    left.bytes -= std::min(left.bytes, bytes_of(*page));
    left.entries -= std::min(left.entries, static_cast<int>(page->messages.size() + page->changes.size()));
    result.emplace(room, std::move(*page));
  }
  co_return result;
}

}  // namespace payam::chat
