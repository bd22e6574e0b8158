#include "runtime/shard.hpp"

#include "base/prefetch.hpp"

namespace payam {

void FlushLink::insert_before(FlushLink& place) {
  previous_ = place.previous_;
  next_ = &place;
  previous_->next_ = this;
  place.previous_ = this;
}

void FlushLink::unlink() {
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

Shard::Shard(int id, asio::io_context& context)
    : id_(id),
      context_(context),
      poller_(std::make_shared<Poller>(context, [this] { end_batch(); })),
      wheel_(steady_now()),
      alarm_(context.get_executor()) {
  flush_fresh_.clear();
  flush_backlog_.clear();
}

Shard::~Shard() {
  *alive_ = false;
  poller_->end();
  for (FlushLink* list : {&flush_fresh_, &flush_backlog_}) {
    while (!list->is_empty()) list->next_->unlink();
  }
}

void Shard::start_timer(Timer& timer, Millis delay) {
  wheel_.start(timer, steady_now(), delay);
  arm();
}

// One system timer stands for the whole wheel; it is moved only to an earlier moment, a late one just finds nothing due.
void Shard::arm() {
  const auto next = wheel_.next();
  if (!next || *next >= armed_for_) return;
  armed_for_ = *next;
  alarm_.expires_at(*next);
  alarm_.async_wait([this, alive = alive_](boost::system::error_code error) {
    if (!error && *alive) on_alarm();
  });
}

void Shard::on_alarm() {
  armed_for_ = SteadyTime::max();
  wheel_.advance(steady_now());
  arm();
}

void Shard::flush_later(Flushable& output) {
  if (output.is_linked()) {
    if (in_bulk_ || !output.bulk_) return;
    output.unlink();
  }
  output.bulk_ = in_bulk_;
  output.insert_before(in_bulk_ ? flush_backlog_ : flush_fresh_);
  if (!poller_->in_batch()) post_flushes();
}

void Shard::end_batch() {
  if (!flush_fresh_.is_empty() || (!flush_posted_ && !flush_backlog_.is_empty())) run_flushes();
}

void Shard::post_flushes() {
  if (std::exchange(flush_posted_, true)) return;
  // The loop runs posted work in order: all that one poll of the sockets made ready stands before this.
  asio::post(context_, [this, alive = alive_] {
    if (!*alive) return;
    flush_posted_ = false;
    run_flushes();
  });
}

// An acknowledgement must not wait behind a broadcast to thousands, nor a broadcast starve: of each slice the backlog has half.
void Shard::run_flushes() {
  const std::size_t done = flush_some(flush_fresh_, flush_backlog_.is_empty() ? kFlushSlice : kFlushSlice / 2);
  flush_some(flush_backlog_, kFlushSlice - done);
  if (!flush_fresh_.is_empty()) {
    FlushLink& first = *flush_fresh_.next_;
    FlushLink& last = *flush_fresh_.previous_;
    first.previous_ = flush_backlog_.previous_;
    first.previous_->next_ = &first;
    last.next_ = &flush_backlog_;
    flush_backlog_.previous_ = &last;
    flush_fresh_.clear();
  }
  if (!flush_backlog_.is_empty()) post_flushes();
}

// How many it were. While one is flushed, the next one's parts and the first line of the one after that are fetched.
std::size_t Shard::flush_some(FlushLink& list, std::size_t limit) {
  std::size_t done = 0;
  for (; done < limit && !list.is_empty(); ++done) {
    Flushable& output = static_cast<Flushable&>(*list.next_);
    output.unlink();
    if (!list.is_empty()) {
      static_cast<const Flushable&>(*list.next_).fetch();
      prefetch(list.next_->next_, 2 * sizeof(FlushLink));
    }
    output.flush();
  }
  return done;
}

}  // namespace payam
