#include "chat/service/presence.hpp"

#include <algorithm>

#include "runtime/unavailable.hpp"

namespace payam::chat {

Presence::Presence(Shard& home, Store& store, TaskGroup& tasks, Announce announce, PresenceOptions options)
    : home_(home), store_(store), tasks_(tasks), announce_(std::move(announce)), options_(options) {}

void Presence::arm() {
  if (armed_ || closed_) return;
  armed_ = true;
  home_.post([this] { home_.start_timer(timer_, options_.collect); });
}

void Presence::connected(const UserId& user, const std::string& email) {
  const std::lock_guard lock(mutex_);
  Person& person = people_[user];
  person.email = email;
  ++person.connections;
  if (!std::exchange(person.announced, true)) {
    arrived_.push_back(user);
    arm();
  }
}

void Presence::disconnected(const UserId& user) {
  const std::lock_guard lock(mutex_);
  const auto found = people_.find(user);
  if (found == people_.end() || --found->second.connections > 0) return;
  found->second.left_at = steady_now();
  found->second.last_seen = options_.clock();
  leaving_.push_back({user, found->second.left_at});
  arm();
}

Task<std::unordered_set<UserId>> Presence::visible_to(UserId viewer, int largest_room) {
  const auto contacts = co_await store_.visible_contacts_of(viewer, largest_room);
  std::unordered_set<UserId> visible(contacts.begin(), contacts.end());
  visible.insert(std::move(viewer));
  co_return visible;
}

Task<Result<>> Presence::set_block(UserId user, std::string email, bool on) {
  const auto viewer = co_await store_.find_user_by_email(email);
  const bool saw = viewer && (co_await visible_to(viewer->id, options_.largest_room)).contains(user);
  auto set = co_await store_.set_block(user, std::move(email), on);
  if (!set || !viewer) co_return set;
  const bool sees = (co_await visible_to(viewer->id, options_.largest_room)).contains(user);
  PresenceChange change{std::move(user), {}, sees, std::nullopt};
  if (saw != sees) tasks_.spawn(home_.executor(), "presence", tell(viewer->id, std::move(change)));
  co_return Result<>();
}

// Nothing if either is offline.
Task<> Presence::tell(UserId viewer, PresenceChange change) {
  {
    const std::lock_guard lock(mutex_);
    const auto person = people_.find(change.user);
    if (closed_ || person == people_.end() || !people_.contains(viewer)) co_return;
    change.email = person->second.email;
  }
  announce_(change, {viewer});
}

bool Presence::is_online(const UserId& user) const {
  const std::lock_guard lock(mutex_);
  return people_.contains(user);
}

std::vector<std::string> Presence::online_among(std::span<const UserId> users) const {
  std::vector<std::string> emails;
  {
    const std::lock_guard lock(mutex_);
    for (const UserId& user : users) {
      if (const auto found = people_.find(user); found != people_.end()) emails.push_back(found->second.email);
    }
  }
  std::ranges::sort(emails);
  return emails;
}

void Presence::on_timer() {
  const SteadyTime now = steady_now();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    for (const UserId& user : std::exchange(arrived_, {})) {
      if (const auto found = people_.find(user); found != people_.end()) {
        changes_.push_back({user, found->second.email, true, std::nullopt});
      }
    }
    for (; !leaving_.empty() && leaving_.front().left_at + options_.grace <= now; leaving_.pop_front()) {
      const auto found = people_.find(leaving_.front().user);
      // Back meanwhile, or left again later: then another entry stands for that.
      if (found == people_.end() || found->second.connections > 0 || found->second.left_at != leaving_.front().left_at)
        continue;
      changes_.push_back({found->first, found->second.email, false, found->second.last_seen});
      people_.erase(found);
    }
    if (leaving_.empty()) {
      armed_ = false;
    } else {
      home_.start_timer(timer_, options_.collect);
    }
  }
  if (!changes_.empty() && !std::exchange(announcing_, true)) tasks_.spawn(home_.executor(), "presence", announce_all());
}

// One after the other, so that a later change of someone never overtakes an earlier one.
Task<> Presence::announce_all() {
  struct Reset {
    bool& flag;
    ~Reset() { flag = false; }
  } reset{announcing_};
  while (!changes_.empty()) {
    PresenceChange change = std::move(changes_.front());
    changes_.pop_front();
    co_await announce(std::move(change));
  }
}

Task<> Presence::announce(PresenceChange change) {
  try {
    if (change.last_seen) co_await store_.set_last_seen(change.user, *change.last_seen);
  } catch (const OutOfStorage&) {
    // Who is here now is told all the same.
  }
  auto audience = co_await store_.contacts_of(change.user, options_.largest_room);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) co_return;
    std::erase_if(audience, [this](const UserId& user) { return !people_.contains(user); });
  }
  announce_(change, audience);
}

void Presence::close() {
  constexpr int kLanes = 64;  // at a time, so that the store commits many together without its queue running over
  const auto left = std::make_shared<std::vector<std::pair<UserId, Timestamp>>>();
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    const Timestamp now = options_.clock();
    for (const auto& [user, person] : people_) {
      left->emplace_back(user, person.connections > 0 ? now : person.last_seen.value_or(now));
    }
    people_.clear();
  }
  const int lanes = std::min(kLanes, static_cast<int>(left->size()));
  for (int lane = 0; lane < lanes; ++lane) {
    tasks_.spawn(home_.executor(), "last seen", store_last_seen(left));
  }
}

// On the home shard, so that the lanes need no lock.
Task<> Presence::store_last_seen(std::shared_ptr<std::vector<std::pair<UserId, Timestamp>>> left) {
  while (!left->empty()) {
    const auto [user, at] = std::move(left->back());
    left->pop_back();
    co_await store_.set_last_seen(user, at);
  }
}

}  // namespace payam::chat
