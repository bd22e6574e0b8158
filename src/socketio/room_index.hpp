// Which members are in which rooms, on one shard, in one namespace. A broadcast walks vectors; joining and leaving take
// time by the rooms of one member, not by the members of a room. Pure.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/prefetch.hpp"
#include "base/salted_hash.hpp"
#include "payam/sio/target.hpp"

namespace payam::sio {

class RoomIndex {
 private:
  struct Room;

 public:
  // Somebody who can be in rooms; embed or inherit. Has to be removed before it dies.
  class Member {
   public:
    Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

   protected:
    ~Member() { assert(index_ == nullptr); }

   private:
    friend class RoomIndex;
    struct Seat {
      Room* room;
      std::uint32_t position;  // in the room's vector
    };
    RoomIndex* index_ = nullptr;
    std::string id_;
    std::vector<Seat> seats_;
    std::uint32_t position_ = 0;     // among all members
    bool in_own_room_ = true;        // the room named by its id, which is not stored
    std::uint64_t last_chosen_ = 0;  // by which selection, see select()
  };

  RoomIndex() = default;
  ~RoomIndex() { assert(members_.empty()); }
  RoomIndex(const RoomIndex&) = delete;
  RoomIndex& operator=(const RoomIndex&) = delete;

  // `id` is unique; the member is in the room of that name from the start.
  void add(Member& member, std::string id);
  // Out of all rooms and of the index. No effect if it is not in it.
  void remove(Member& member);
  // `to`, not yet in the index, takes the place of `from`: its id and rooms.
  void replace(Member& from, Member& to);

  // False if nothing changed.
  bool join(Member& member, std::string_view room);
  bool leave(Member& member, std::string_view room);

  static const std::string& id_of(const Member& member) { return member.id_; }
  static bool contains(const Member& member) { return member.index_ != nullptr; }
  bool in_room(const Member& member, std::string_view room) const;
  std::vector<std::string> rooms_of(const Member& member) const;
  Member* find(std::string_view id) const;

  std::size_t size() const { return members_.size(); }
  std::size_t room_count() const { return room_count_.load(std::memory_order_relaxed); }  // any thread

  // How many select() visits at most; who is in two of the rooms counts twice.
  std::size_t most_of(const detail::Target& target) const;

  // Calls `visit(Member&)` once for each member meant. `visit` must not change the index.
  template <class F>
  void select(const detail::Target& target, F&& visit) {
    select(target, visit, [](const Member&, int) {});
  }
  // Before that `ahead(const Member&, 2)` and, nearer, `ahead(const Member&, 1)` for most of them: what the visit will read of
  // a member can be fetched meanwhile, in two steps if one thing leads to the next.
  template <class F, class Ahead>
  void select(const detail::Target& target, F&& visit, const Ahead& ahead) {
    // The usual broadcast: nobody can be met twice.
    if (target.rooms.size() == 1 && target.except.empty()) return each_in(target.rooms.front(), visit, ahead);
    const std::uint64_t turn = ++selections_;
    for (const std::string& room : target.except) {
      each_in(room, [turn](Member& member) { member.last_chosen_ = turn; }, [](const Member&, int) {});
    }
    const auto visit_once = [&](Member& member) {
      if (member.last_chosen_ == turn) return;
      member.last_chosen_ = turn;
      visit(member);
    };
    if (target.rooms.empty()) each_of(members_, visit_once, ahead);
    for (const std::string& room : target.rooms) each_in(room, visit_once, ahead);
  }

 private:
  // Members are found by their ids.
  static std::string_view key_of(std::string_view id) { return id; }
  static std::string_view key_of(const Member* member) { return member->id_; }
  struct HashById {
    using is_transparent = void;
    // Members' ids are made here, at random.
    std::size_t operator()(const auto& each) const { return std::hash<std::string_view>{}(key_of(each)); }
  };
  struct EqualById {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return key_of(a) == key_of(b); }
  };
  struct Room {
    std::string_view name;  // the key it is stored under
    std::vector<Member*> members;
  };

  // Members lie all over memory: a few are on their way to the cache while one is visited.
  template <class F, class Ahead>
  static void each_of(const std::vector<Member*>& members, F&& visit, const Ahead& ahead) {
    constexpr std::size_t kStep = 4;
    constexpr std::size_t kBytes = sizeof(Member) + 48;  // with the first of what it is embedded in
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i + 3 * kStep < members.size()) prefetch(members[i + 3 * kStep], kBytes);
      if (i + 2 * kStep < members.size()) ahead(*members[i + 2 * kStep], 2);
      if (i + kStep < members.size()) ahead(*members[i + kStep], 1);
      visit(*members[i]);
    }
  }

  template <class F, class Ahead>
  void each_in(std::string_view name, F&& visit, const Ahead& ahead) {
    if (const auto room = rooms_.find(name); room != rooms_.end()) {
      each_of(room->second.members, visit, ahead);
    }
    if (Member* member = find(name); member != nullptr && member->in_own_room_) visit(*member);
  }

  void vacate(const Member::Seat& seat);

  std::vector<Member*> members_;
  boost::unordered_flat_set<Member*, HashById, EqualById> by_id_;  // a table without nodes
  // None is empty. Applications let clients name rooms.
  std::unordered_map<std::string, Room, SaltedHash, std::equal_to<>> rooms_;
  std::uint64_t selections_ = 0;
  std::atomic<std::size_t> room_count_{0};  // of rooms_
};

}  // namespace payam::sio
