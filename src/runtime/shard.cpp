#include "runtime/shard.hpp"

namespace payam {

Flushable::~Flushable() {
  if (flush_shard_ != nullptr) flush_shard_->remove(*this);
}

Shard::Shard(int id, asio::io_context& context)
    : id_(id), context_(context), wheel_(steady_now()), alarm_(context.get_executor()) {}

Shard::~Shard() {
  *alive_ = false;
  while (flush_first_ != nullptr) remove(*flush_first_);
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
  if (output.flush_shard_ != nullptr) return;
  output.flush_shard_ = this;
  output.flush_previous_ = flush_last_;
  output.flush_next_ = nullptr;
  (flush_last_ != nullptr ? flush_last_->flush_next_ : flush_first_) = &output;
  flush_last_ = &output;
  if (!std::exchange(flush_posted_, true)) {
    // The loop runs posted work in order: all that one poll of the sockets made ready stands before this.
    asio::post(context_, [this, alive = alive_] {
      if (*alive) run_flushes();
    });
  }
}

void Shard::run_flushes() {
  flush_posted_ = false;
  for (int i = 0; i < kFlushSlice && flush_first_ != nullptr; ++i) {
    Flushable& output = *flush_first_;
    remove(output);
    output.flush();
  }
  if (flush_first_ != nullptr && !std::exchange(flush_posted_, true)) {
    asio::post(context_, [this, alive = alive_] {
      if (*alive) run_flushes();
    });
  }
}

void Shard::remove(Flushable& output) {
  (output.flush_previous_ != nullptr ? output.flush_previous_->flush_next_ : flush_first_) = output.flush_next_;
  (output.flush_next_ != nullptr ? output.flush_next_->flush_previous_ : flush_last_) = output.flush_previous_;
  output.flush_shard_ = nullptr;
}

}  // namespace payam
