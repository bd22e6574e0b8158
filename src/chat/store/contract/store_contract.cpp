#include "chat/store/contract/store_contract.hpp"

namespace payam::chat {

StoreContract::StoreContract() : host_(GetParam().make_host()) { open(); }

StoreContract::~StoreContract() { store_.reset(); }

void StoreContract::open() {
  store_ = host_->open();
  store_->observe([this](std::span<const Commit> commits) {
    const std::lock_guard lock(published_mutex_);
    published_.insert(published_.end(), commits.begin(), commits.end());
  });
}

void StoreContract::restart_if_kept() {
  if (!host_->keeps_data()) return;
  store_.reset();
  open();
}

std::vector<Commit> StoreContract::published() {
  const std::lock_guard lock(published_mutex_);
  return published_;
}

User StoreContract::add_user(const std::string& name) {
  User user{user_id(name), name, email(name), std::nullopt, "$2b$12$hash-of-" + name, at(0), std::nullopt};
  return wait(store().create_user(std::move(user))).value();
}

Commit StoreContract::create_room(const std::string& id, const std::string& creator, std::vector<std::string> members) {
  for (std::string& member : members) member = email(member);
  return commit(CreateRoom{RoomId(id), user_id(creator), "Room " + id, std::move(members), at(1)}).value();
}

SendMessage StoreContract::message(const std::string& room, const std::string& sender, const std::string& content) {
  const int number = ++next_id_;
  return {RoomId(room), user_id(sender),  MessageId("message-" + std::to_string(number)), content, std::nullopt, std::nullopt,
          {},           at(1000 + number)};
}

Commit StoreContract::send(const std::string& room, const std::string& sender, const std::string& content) {
  return commit(message(room, sender, content)).value();
}

std::vector<std::string> StoreContract::found(const std::string& viewer, const std::string& text) {
  return contents(hits_for(viewer, {.text = text, .room = {}, .before = {}}));
}

std::vector<std::string> StoreContract::found_in(const std::string& room, const std::string& viewer, const std::string& text) {
  return contents(hits_for(viewer, {.text = text, .room = RoomId(room), .before = {}}));
}

const Message& message_of(const Commit& commit) { return std::get<MessageAdded>(commit.entry.body).message; }

std::vector<std::string> contents(const std::vector<Message>& messages) {
  std::vector<std::string> result;
  for (const Message& message : messages) result.push_back(message.content);
  return result;
}

std::vector<std::string> contents(const std::vector<SearchHit>& hits) {
  std::vector<std::string> result;
  for (const SearchHit& hit : hits) result.push_back(hit.message.content);
  return result;
}

std::vector<std::string> emails(const std::vector<Member>& members) {
  std::vector<std::string> result;
  for (const Member& member : members) result.push_back(member.email);
  return result;
}

}  // namespace payam::chat
