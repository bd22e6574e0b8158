// One Engine.IO packet, encoded once and shared by every receiver's queue, on any shard. Immutable.
// It stands in memory as the websocket frame a server sends (RFC 6455 section 5.2, unmasked); what polling sends is a part of
// it.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engineio/session_types.hpp"
#include "engineio/websocket/frame.hpp"

namespace payam::eio::websocket {
class Deflater;
}

namespace payam::eio {

enum class PacketType : char { open = '0', close = '1', ping = '2', pong = '3', message = '4', upgrade = '5', noop = '6' };

class EncodedPacket;
using PacketRef = boost::intrusive_ptr<const EncodedPacket>;

class EncodedPacket {
 public:
  // A text packet: type digit and `data`. `data` is valid UTF-8.
  static PacketRef text(PacketType type, std::string_view data);
  // A binary message: no type digit on a websocket, `b` + base64 on polling.
  static PacketRef binary(std::string_view bytes);
  // A text message assembled from parts in one allocation: type 4, then the parts.
  static PacketRef message(std::span<const std::string_view> parts);
  // A binary message as a websocket of that kind takes it: base64 is text, "b…"; version 3 puts the type before the data.
  static PacketRef binary_for(Protocol protocol, BinaryForm form, std::string_view bytes);
  // A websocket's own control frame, so that one queue holds all a connection sends; has no polling form.
  // `payload` is at most kMaxControlPayload bytes.
  static PacketRef control(websocket::Opcode opcode, std::string_view payload);

  bool is_binary() const { return binary_; }
  std::string_view frame() const;    // websocket frame, header included
  std::string_view payload() const;  // without the frame's header: "4…" or the raw bytes
  std::size_t size() const { return total_ - header_bytes_; }

  // Appends the packet as a polling payload holds it.
  void append_polling(std::string& out) const;

  // The same as a compressed frame (RFC 7692), made at the first call and shared like the packet itself; the packet, if it does
  // not get smaller. Any thread, with its own `deflater`.
  PacketRef deflated(websocket::Deflater& deflater) const;

 private:
  friend void intrusive_ptr_add_ref(const EncodedPacket* packet) noexcept;
  friend void intrusive_ptr_release(const EncodedPacket* packet) noexcept;
  EncodedPacket(std::uint32_t header_bytes, std::size_t total, bool binary);
  static EncodedPacket* allocate(std::size_t payload_bytes, websocket::Opcode opcode, std::uint8_t flags = websocket::kFin);
  ~EncodedPacket();
  char* data();

  mutable std::atomic<std::uint32_t> references_{0};
  mutable std::atomic<const EncodedPacket*> deflated_{nullptr};  // holds a reference, unless it is this packet
  std::uint32_t header_bytes_;
  std::size_t total_;
  bool binary_;
  // The frame's bytes follow the object in the same allocation.
};

void intrusive_ptr_add_ref(const EncodedPacket* packet) noexcept;
void intrusive_ptr_release(const EncodedPacket* packet) noexcept;

}  // namespace payam::eio
