// What happens to messages after they were sent: edits, deletions, reactions, pins. The entry holds the message's state after
// it, whole, until that is in the message.
#include <algorithm>
#include <unordered_set>

#include "chat/store/mongo/appender.hpp"

namespace payam::chat::mongo {

Result<Appender::Target> Appender::find_target(const MessageRef& ref, const UserId& actor) {
  const auto not_found = [] { return fail(Errc::not_found, std::string(rules::kMessageNotFound)); };
  const auto acting = find_acting(actor);
  if (ref.room) {
    if (!acting) return std::unexpected(acting.error());
    if (!acting->role) return fail(Errc::not_member, std::string(rules::kRoomNotFound));
  }
  if (!acting || !acting->role) return not_found();
  auto found = find_messages(connection_, "id", {ref.id.str()});
  if (found.empty() || found.front().message.room != state_.room.id) return not_found();
  const bool own = found.front().message.sender_id == actor;
  return Target{*acting, std::move(found.front()), own};
}

Result<Planned> Appender::update_message(Target target, Timestamp at, bool frees_uploads) {
  StoredEntry entry = new_entry(EntryKind::message_updated, target.acting.user, at);
  entry.target = target.stored.key;
  entry.target_id = target.stored.message.id;
  entry.subject = target.stored.message.seq;
  target.stored.message.rev = entry.rev;
  Message message = std::move(finish(connection_, {target.stored}).at(0));
  Planned result = planned(
      entry, {state_.room.id, entry.rev, at, target.acting.user, target.acting.email, MessageUpdated{std::move(message)}},
      std::nullopt);
  result.entry->add("after", state_fields(target.stored));
  if (frees_uploads) result.entry->add("frees_uploads", true);
  return result;
}

Result<Planned> Appender::plan(const EditMessage& edit) {
  auto target = find_target(edit.message, edit.actor);
  if (!target) return std::unexpected(target.error());
  Message& message = target->stored.message;
  if (const auto allowed = rules::may_edit(target->acting.role, target->own, message.deleted); !allowed) {
    return std::unexpected(allowed.error());
  }
  if (edit.content == message.content) return repeat(*target, edit.at);
  if (edit.content.empty() && message.attachments.empty()) {
    return fail(Errc::invalid, "A message without attachments needs a text");
  }
  auto linked = find_attached({}, edit.content, edit.actor);
  std::erase_if(linked->links, [&](const UploadId& id) {
    return std::ranges::find(message.attachments, id, &Upload::id) != message.attachments.end();
  });
  claim(message.id, *linked, edit.actor);
  const bool frees_uploads = !target->stored.links.empty();
  message.content = edit.content;
  message.edited_at = edit.at;
  target->stored.links = std::move(linked->links);
  target->stored.mentions.clear();
  for (const People::Person& person : find_mentioned(edit.content)) target->stored.mentions.push_back(person.id);
  return update_message(*std::move(target), edit.at, frees_uploads);
}

Result<Planned> Appender::plan(const DeleteMessage& deletion) {
  auto target = find_target(deletion.message, deletion.actor);
  if (!target) return std::unexpected(target.error());
  Message& message = target->stored.message;
  if (const auto allowed = rules::may_delete(target->acting.role, target->own); !allowed) {
    return std::unexpected(allowed.error());
  }
  if (message.deleted) return repeat(*target, deletion.at);
  const bool frees_uploads = !target->stored.links.empty() || !message.attachments.empty();
  message.content.clear();
  message.deleted = true;
  message.pinned = false;
  message.attachments.clear();
  target->stored.links.clear();
  target->stored.mentions.clear();
  target->stored.reactions.clear();
  return update_message(*std::move(target), deletion.at, frees_uploads);
}

Result<Planned> Appender::plan(const React& react) {
  auto target = find_target(react.message, react.actor);
  if (!target) return std::unexpected(target.error());
  if (const auto allowed = rules::may_react(target->acting.role, target->stored.message.deleted); !allowed) {
    return std::unexpected(allowed.error());
  }
  auto& reactions = target->stored.reactions;
  const std::pair mine(react.emoji, react.actor);
  const auto found = std::ranges::find(reactions, mine);
  if ((found != reactions.end()) == react.on) return repeat(*target, react.at);
  if (react.on) {
    People people;
    want_people(target->stored, people);
    people.load(connection_);
    std::erase_if(reactions, [&](const auto& one) { return people.find(one.second) == nullptr; });
    std::unordered_set<std::string> different;
    for (const auto& [emoji, user] : reactions) different.insert(emoji);
    const auto allowed = rules::may_add_emoji(static_cast<int>(different.size()));
    if (!different.contains(react.emoji) && !allowed) return std::unexpected(allowed.error());
    reactions.push_back(mine);
  } else {
    reactions.erase(found);
  }
  return update_message(*std::move(target), react.at, false);
}

Result<Planned> Appender::plan(const PinMessage& pin) {
  auto target = find_target(pin.message, pin.actor);
  if (!target) return std::unexpected(target.error());
  Message& message = target->stored.message;
  const auto allowed = rules::may_pin(state_.room.kind, target->acting.role, message.deleted);
  if (!allowed) return std::unexpected(allowed.error());
  if (message.pinned == pin.on) return repeat(*target, pin.at);
  message.pinned = pin.on;
  return update_message(*std::move(target), pin.at, false);
}

Planned Appender::repeat(const Target& target, Timestamp at) {
  return unchanged(target.acting, at, MessageUpdated{std::move(finish(connection_, {target.stored}).at(0))});
}

}  // namespace payam::chat::mongo
