// Sending: the hot path. A sender whom the room knows costs no read at all.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/salted_hash.hpp"
#include "chat/store/mongo/appender.hpp"

namespace payam::chat::mongo {

Result<Planned> Appender::plan(const SendMessage& send) {
  if (!state_.exists() || state_.deleted) return fail(Errc::not_found, std::string(rules::kRoomNotFound));
  auto known = senders_.find(send.sender);
  if (known == senders_.end()) {
    const auto acting = find_acting(send.sender);
    if (!acting) return std::unexpected(acting.error());
    if (const auto allowed = rules::may_send(acting->role); !allowed) return std::unexpected(allowed.error());
    known = senders_.emplace(send.sender, KnownSender{*acting->role, acting->email.value_or("")}).first;
  }
  bool found = false;
  if (attempt_->collided) {
    auto earlier = find_earlier(send, found);
    if (found) return earlier;
  }
  if (send.reply_to) {
    const auto message = connection_.find_one(kLog, doc("id", *send.reply_to));
    const bool is_here = message && message->view().get<RoomId>("room") == send.room &&
                         message->view().get<EntryKind>("kind") == EntryKind::message;
    if (!is_here) {
      auto earlier = find_earlier(send, found);
      if (found) return earlier;
      return fail(Errc::bad_request, fmt::format("reply_to: no message {} in this room", send.reply_to->str()));
    }
  }
  auto attached = find_attached(send.attachments, send.content, send.sender);
  if (!attached) {
    auto earlier = find_earlier(send, found);
    if (found) return earlier;
    return std::unexpected(std::move(attached.error()));
  }
  if (!claim(send.id, *attached, send.sender)) return fail(Errc::bad_request, "An upload is gone by now");

  next_->last_seq = next_->last_seq.next();
  next_->active_at = std::max(next_->active_at, send.at);
  StoredEntry entry = new_entry(EntryKind::message, send.sender, send.at);
  entry.id = send.id.str();
  if (send.client_id) entry.client = client_key(send.room, send.sender, *send.client_id);

  StoredMessage stored;
  stored.message.id = send.id;
  stored.message.room = send.room;
  stored.message.seq = next_->last_seq;
  stored.message.rev = entry.rev;
  stored.message.sender_id = send.sender;
  stored.message.content = send.content;
  stored.message.timestamp = send.at;
  stored.message.client_id = send.client_id;
  stored.message.reply_to = send.reply_to;
  stored.message.attachments = std::move(attached->attachments);
  stored.links = std::move(attached->links);

  Planned planned;
  Message message = stored.message;
  message.sender = known->second.email;
  for (const People::Person& person : find_mentioned(send.content)) {
    stored.mentions.push_back(person.id);
    message.mentions.push_back(person.email);
  }
  planned.entry = entry_document(entry, stored.message.seq);
  planned.entry->add("state", entry.rev).add("client_id", send.client_id).add("reply_to", send.reply_to);
  planned.entry->add_all(state_fields(stored));
  planned.commit.entry = {send.room, entry.rev, send.at, send.sender, known->second.email, MessageAdded{std::move(message)}};
  next_->rev = entry.rev.next();
  return planned;
}

// A retry says the same client_id, or is the same change again after an outage and then has the same id.
Result<Planned> Appender::find_earlier(const SendMessage& send, bool& found) {
  std::optional<Document> document;
  if (send.client_id) document = connection_.find_one(kLog, doc("client", client_key(send.room, send.sender, *send.client_id)));
  if (!document) document = connection_.find_one(kLog, doc("id", send.id));
  found = document.has_value();
  if (!found) return Planned{};
  const View view = *document;
  if (view.get<EntryKind>("kind") != EntryKind::message || view.get<RoomId>("room") != send.room ||
      view.get<UserId>("actor") != send.sender) {
    return fail(Errc::conflict, "The id is taken");
  }
  const StoredMessage stored = stored_message(view);
  Message message = std::move(finish(connection_, {stored}).at(0));
  Planned answer;
  answer.commit.entry = {message.room, stored.first_rev, message.timestamp, message.sender_id, message.sender, MessageAdded{}};
  std::get<MessageAdded>(answer.commit.entry.body).message = std::move(message);
  answer.commit.repeated = true;
  return answer;
}

Result<Appender::Attached> Appender::find_attached(const std::vector<UploadId>& ids, const std::string& content,
                                                   const UserId& sender) {
  Attached attached;
  const auto find_own = [&](const UploadId& id) -> std::optional<Upload> {
    const auto found = connection_.find_one(kUploads, doc("_id", id));
    if (!found || found->view().get<UserId>("uploader") != sender) return std::nullopt;
    return upload_from(*found);
  };
  const auto known = [&](const UploadId& id) {
    return std::ranges::find(attached.attachments, id, &Upload::id) != attached.attachments.end();
  };
  for (const UploadId& id : ids) {
    if (known(id)) continue;
    auto upload = find_own(id);
    if (!upload) return fail(Errc::bad_request, fmt::format("Unknown upload: {}", id.str()));
    attached.attachments.push_back(*std::move(upload));
  }
  for (const UploadId& id : rules::find_media_links(content)) {
    if (!known(id) && find_own(id)) attached.links.push_back(id);  // someone else's is merely text
  }
  return attached;
}

bool Appender::claim(const MessageId& message, const Attached& attached, const UserId& uploader) {
  std::vector<UploadId> uploads = attached.links;
  for (const Upload& upload : attached.attachments) uploads.push_back(upload.id);
  for (const UploadId& upload : uploads) {
    connection_.insert(kUploadUses,
                       doc("_id", use_key(upload, message), "upload", upload, "message", message, "room", state_.room.id));
    const auto taken = connection_.update(kUploads, doc("_id", upload, "uploader", uploader),
                                          doc("$set", doc("used", true), "$inc", doc("claims", 1)));
    if (taken == 0) return false;
  }
  return true;
}

// Names are looked up together: first all that may be meant are gathered, then they are read with two queries.
std::vector<People::Person> Appender::find_mentioned(const std::string& content) {
  std::vector<People::Person> mentioned;
  if (content.find('@') == std::string::npos) return mentioned;
  std::unordered_set<std::string, SaltedHash> names;
  const auto gather = [&](const std::string& name) {
    names.insert(name);
    return false;
  };
  std::unordered_map<std::string, std::optional<People::Person>, SaltedHash> people;
  const auto look_up = [&] {
    std::vector<std::string> members;
    std::unordered_map<UserId, std::string> name_of;
    for (const std::string& name : names) people.emplace(name, std::nullopt);
    for (const Document& user : connection_.find(kUsers, doc("username_key", doc("$in", list(names)))).all()) {
      const View view = user;
      if (view.has("erased")) continue;
      const auto id = view.get<UserId>("_id");
      const auto name = view.get<std::string>("username_key");
      people[name] = People::Person{id, view.get<std::string>("email"), view.get<std::string>("username")};
      name_of.emplace(id, name);
      members.push_back(member_key(state_.room.id, id));
    }
    std::unordered_set<UserId> present;
    if (!members.empty()) {
      for (const Document& member : connection_.find(kMembers, doc("_id", doc("$in", list(members)))).all()) {
        if (member.view().get<bool>("active")) present.insert(member.view().get<UserId>("user"));
      }
    }
    for (const auto& [id, name] : name_of) {
      if (!present.contains(id)) people[name] = std::nullopt;
    }
    names.clear();
  };
  rules::find_mentions(content, gather);
  if (names.empty()) return mentioned;
  look_up();
  rules::find_mentions(content, [&](const std::string& name) {
    if (!people.contains(name)) {  // more may be meant once some are known
      names.insert(name);
      look_up();
    }
    const auto& person = people.at(name);
    if (!person) return false;
    if (std::ranges::find(mentioned, person->id, &People::Person::id) == mentioned.end()) mentioned.push_back(*person);
    return true;
  });
  return mentioned;
}

}  // namespace payam::chat::mongo
