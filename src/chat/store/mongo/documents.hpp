// Between the model and the documents of schema.hpp.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "chat/model.hpp"
#include "chat/store/mongo/schema.hpp"

namespace payam::chat::mongo {

// The names behind ids: documents hold ids alone, so that an erased account is nowhere by name.
class People {
 public:
  struct Person {
    UserId id;
    std::string email;
    std::string username;
  };

  void want(const UserId& user);
  // Reads whom somebody wanted and who is not known yet; one query.
  void load(Connection& connection);
  // Null for nobody and the erased.
  const Person* find(const UserId& user) const;
  std::optional<std::string> email(const UserId& user) const;

 private:
  std::unordered_map<UserId, std::optional<Person>> known_;
  std::unordered_set<UserId> wanted_;
};

// A message as its entry holds it: people by id.
struct StoredMessage {
  std::string key;  // the entry's _id
  Rev first_rev;
  Message message;  // without sender, mentions and reactions
  std::vector<UserId> mentions;
  std::vector<std::pair<std::string, UserId>> reactions;  // emoji and who, in order of reacting
  std::vector<UploadId> links;                            // uploads the text merely links to
};
StoredMessage stored_message(View entry);
void want_people(const StoredMessage& stored, People& people);
Message finish(const StoredMessage& stored, const People& people);
// What an edit, deletion, reaction or pin can change; in the entry as fields, and whole in a message_updated one's `after`.
Document state_fields(const StoredMessage& stored);

// An entry of any kind; what its kind has not, is empty.
struct StoredEntry {
  std::string key{};
  std::string id{};
  RoomId room{};
  Rev rev{};
  EntryKind kind = EntryKind::message;
  Seq last_seq{};
  Timestamp at{};
  Timestamp active_at{};
  UserId actor{};
  std::vector<std::pair<UserId, Role>> named{};
  RoomKind room_kind = RoomKind::group;
  std::string name{}, topic{};
  std::string target{};  // the _id of the message that was changed
  MessageId target_id{};
  Seq subject{};
  std::optional<std::string> client{};
};
StoredEntry stored_entry(View entry);
// `client`: nullopt for the entry's own id.
Document entry_document(const StoredEntry& entry, std::optional<Seq> message_seq);

void want_people(const StoredEntry& stored, People& people);
// The entry as clients see it, but for a message or its update: their body is the caller's to fill.
Entry finish(const StoredEntry& stored, const People& people);

Document upload_document(const Upload& upload);
Upload upload_from(View document);

// Messages by their log keys or places (`field`: _id, place or id), ascending seq.
std::vector<StoredMessage> find_messages(Connection& connection, const char* field, const std::vector<std::string>& keys);
std::vector<Message> finish(Connection& connection, const std::vector<StoredMessage>& stored);

}  // namespace payam::chat::mongo
