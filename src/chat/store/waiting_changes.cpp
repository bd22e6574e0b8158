#include "chat/store/waiting_changes.hpp"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace payam::chat {
namespace {

std::size_t size_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

// Of what may be long.
std::size_t content_of(const Change& change) {
  return std::visit(
      []<class T>(const T& kind) -> std::size_t {
        if constexpr (requires { kind.content; }) {
          return kind.content.size();
        } else if constexpr (requires { kind.member_emails; }) {
          return size_of(kind.member_emails);
        } else if constexpr (requires { kind.emails; }) {
          return size_of(kind.emails);
        } else {
          return 0;
        }
      },
      change);
}

const UserId& actor_of(const Change& change) {
  return std::visit(
      []<class T>(const T& kind) -> const UserId& {
        if constexpr (requires { kind.actor; }) {
          return kind.actor;
        } else if constexpr (requires { kind.sender; }) {
          return kind.sender;
        } else if constexpr (requires { kind.creator; }) {
          return kind.creator;
        } else if constexpr (requires { kind.from; }) {
          return kind.from;
        } else {
          return kind.user;
        }
      },
      change);
}

}  // namespace

WaitingChanges::Item WaitingChanges::item(const Change& change) const {
  const std::size_t hash = hash_(actor_of(change).str());
  return {{hash % kPlaces, kPlaces + (hash >> 32) % kPlaces}, content_of(change)};
}

bool WaitingChanges::has_room_for(const Item& item) const {
  if (all_.changes >= limits_.changes || all_.bytes + item.bytes > limits_.bytes) return false;
  return std::ranges::any_of(item.places, [&](std::size_t place) {
    const Count& count = counts_[place];
    return place == kNobody || (count.changes < limits_.persons_changes && count.bytes + item.bytes <= limits_.persons_bytes);
  });
}

bool WaitingChanges::add(const Item& item) {
  if (!has_room_for(item)) return false;
  ++all_.changes;
  all_.bytes += item.bytes;
  for (const std::size_t place : item.places) {
    ++counts_[place].changes;
    counts_[place].bytes += item.bytes;
  }
  return true;
}

void WaitingChanges::remove(const Item& item) {
  --all_.changes;
  all_.bytes -= item.bytes;
  for (const std::size_t place : item.places) {
    --counts_[place].changes;
    counts_[place].bytes -= item.bytes;
  }
}

}  // namespace payam::chat
