#include "chat/store/transfer.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <cstring>
#include <type_traits>

namespace payam::chat::transfer {
namespace {

// Each field with its length before it, so that no two records have the same text.
class Writer {
 public:
  template <class... Fields>
  explicit Writer(const Fields&... fields) {
    (write(fields), ...);
  }
  std::string text;

 private:
  void write(const std::string& value) {
    text += std::to_string(value.size());
    text += ':';
    text += value;
  }
  void write(Timestamp value) { write(std::to_string(value.time_since_epoch().count())); }
  template <class Tag>
  void write(const Id<Tag>& value) {
    write(value.str());
  }
  template <class Tag>
  void write(Counter<Tag> value) {
    write(std::to_string(value.value));
  }
  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void write(T value) {
    write(std::to_string(static_cast<std::int64_t>(value)));
  }
  void write(const EntryRecord::Subject& value) { write(value.seq), write(value.id), write(value.first_rev); }
  void write(const UsedToken& value) { write(value.hash), write(value.at), write(value.next); }
  void write(const MessageRecord::Reacted& value) { write(value.emoji), write(value.user); }
  template <class A, class B>
  void write(const std::pair<A, B>& value) {
    write(value.first), write(value.second);
  }
  template <class T>
  void write(const std::optional<T>& value) {
    text += value ? '+' : '-';
    if (value) write(*value);
  }
  template <class T>
  void write(const std::vector<T>& values) {
    text += '[';
    for (const T& value : values) write(value);
    text += ']';
  }
};

std::string text_of(const UserRecord& r) {
  if (!r.email) return Writer(r.id, r.created_at).text;  // of an erased account nothing else counts
  return Writer(r.id, r.email, r.username, r.full_name, r.password_hash, r.created_at, r.last_seen).text;
}
std::string text_of(const BlockRecord& r) { return Writer(r.user, r.blocked).text; }
std::string text_of(const SessionRecord& r) {
  return Writer(r.id, r.user, r.device, r.address, r.refresh_hash, r.created_at, r.last_used_at, r.used).text;
}
std::string text_of(const UploadRecord& r) {
  return Writer(r.id, r.uploader, r.name, r.content_type, r.size, r.width, r.height, r.created_at).text;
}
std::string text_of(const RoomRecord& r) {
  return Writer(r.room.id, r.room.kind, r.room.name, r.room.topic, r.room.created_at, r.room.last_seq, r.room.rev, r.active_at,
                r.pair)
      .text;
}
std::string text_of(const MemberRecord& r) {
  return Writer(r.room, r.user, r.role, r.read_seq, r.hidden_seq, r.joined_at).text;
}
std::string text_of(const RemovalRecord& r) { return Writer(r.room, r.user, r.rev).text; }
std::string text_of(const InviteRecord& r) {
  return Writer(r.invite.token_hash, r.invite.room, r.invite.creator, r.invite.created_at, r.invite.expires_at,
                r.invite.uses_left, r.rev)
      .text;
}
std::string text_of(const EntryRecord& r) {
  return Writer(r.room, r.rev, r.kind, r.seq, r.at, r.actor, r.subject, r.name, r.topic, r.named).text;
}
std::string text_of(const MessageRecord& r) {
  return Writer(r.room, r.seq, r.id, r.first_rev, r.rev, r.sender, r.at, r.content, r.client_id, r.reply_to, r.edited_at,
                r.deleted, r.pinned, r.reactions, r.mentions, r.attachments, r.links)
      .text;
}

}  // namespace

std::string canonical(const Record& record) {
  return std::visit([](const auto& one) { return text_of(one); }, record);
}

void Digest::add(const Record& record) {
  const std::string text = canonical(record);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  Kind& kind = kinds[record.index()];
  ++kind.count;
  for (std::size_t i = 0; i < kind.sum.size(); ++i) {
    std::uint64_t part = 0;
    std::memcpy(&part, hash.data() + i * sizeof part, sizeof part);
    kind.sum[i] += part;
  }
}

std::string Digest::Kind::hex() const { return fmt::format("{:016x}", sum[0]); }

}  // namespace payam::chat::transfer
