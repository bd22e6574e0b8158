#include "memory/memory_stream.hpp"

#include <algorithm>

namespace payam::bench {

void MemoryStream::deliver(std::string_view bytes) {
  incoming_ += bytes;
  if (wants_read_) wake(read_posted_, wants_read_, &StreamHandler::on_readable);
}

void MemoryStream::set_writable(bool on) {
  writable_ = on;
  if (on && wants_write_) wake(write_posted_, wants_write_, &StreamHandler::on_writable);
}

IoResult MemoryStream::read(std::span<char> into) {
  if (!open_) return {IoStatus::error, 0};
  if (incoming_.empty()) return {IoStatus::would_block, 0};
  const std::size_t bytes = std::min(into.size(), incoming_.size());
  incoming_.copy(into.data(), bytes);
  if (bytes == incoming_.size()) {
    std::string().swap(incoming_);  // an idle stream holds no buffer, here neither
  } else {
    incoming_.erase(0, bytes);
  }
  return {IoStatus::ok, bytes};
}

IoResult MemoryStream::write(std::span<const iovec> from) {
  if (!open_) return {IoStatus::error, 0};
  if (!writable_) return {IoStatus::would_block, 0};
  std::size_t bytes = 0;
  for (const iovec& piece : from) bytes += piece.iov_len;
  peer_.on_write(*this, from);
  return {IoStatus::ok, bytes};
}

void MemoryStream::want_read() {
  wants_read_ = true;
  if (!incoming_.empty()) wake(read_posted_, wants_read_, &StreamHandler::on_readable);
}

void MemoryStream::want_write() {
  wants_write_ = true;
  if (writable_) wake(write_posted_, wants_write_, &StreamHandler::on_writable);
}

void MemoryStream::wake(bool& pending, bool& wanted, void (StreamHandler::*ready)()) {
  if (std::exchange(pending, true)) return;
  shard_.post([self = std::static_pointer_cast<MemoryStream>(shared_from_this()), &pending, &wanted, ready] {
    pending = false;
    if (std::exchange(wanted, false) && self->handler_ != nullptr) (self->handler_->*ready)();
  });
}

void MemoryStream::close() {
  handler_ = nullptr;
  if (std::exchange(open_, false)) peer_.on_close(*this);
}

}  // namespace payam::bench
