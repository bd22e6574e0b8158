#include "engineio/encoded_packet.hpp"

#include <cassert>
#include <cstring>
#include <new>

#include "base/base64.hpp"
#include "engineio/websocket/deflate.hpp"

namespace payam::eio {

using websocket::Opcode;

EncodedPacket::EncodedPacket(std::uint32_t header_bytes, std::size_t total, bool binary)
    : header_bytes_(header_bytes), total_(total), binary_(binary) {}

EncodedPacket::~EncodedPacket() {
  const EncodedPacket* deflated = deflated_.load(std::memory_order_relaxed);
  if (deflated != nullptr && deflated != this) intrusive_ptr_release(deflated);
}

EncodedPacket* EncodedPacket::allocate(std::size_t payload_bytes, Opcode opcode, std::uint8_t flags) {
  const std::size_t header_bytes = websocket::header_size(payload_bytes);
  const std::size_t total = header_bytes + payload_bytes;
  void* memory = ::operator new(sizeof(EncodedPacket) + total);
  auto* packet = new (memory) EncodedPacket(static_cast<std::uint32_t>(header_bytes), total, opcode == Opcode::binary);
  websocket::write_header(packet->data(), flags, opcode, payload_bytes);
  return packet;
}

char* EncodedPacket::data() { return reinterpret_cast<char*>(this + 1); }

PacketRef EncodedPacket::text(PacketType type, std::string_view data) {
  EncodedPacket* packet = allocate(1 + data.size(), Opcode::text);
  char* out = packet->data() + packet->header_bytes_;
  *out++ = static_cast<char>(type);
  data.copy(out, data.size());
  return PacketRef(packet);
}

PacketRef EncodedPacket::binary(std::string_view bytes) {
  EncodedPacket* packet = allocate(bytes.size(), Opcode::binary);
  bytes.copy(packet->data() + packet->header_bytes_, bytes.size());
  return PacketRef(packet);
}

PacketRef EncodedPacket::message(std::span<const std::string_view> parts) {
  std::size_t bytes = 1;
  for (const auto part : parts) bytes += part.size();
  EncodedPacket* packet = allocate(bytes, Opcode::text);
  char* out = packet->data() + packet->header_bytes_;
  *out++ = static_cast<char>(PacketType::message);
  for (const auto part : parts) out += part.copy(out, part.size());
  return PacketRef(packet);
}

PacketRef EncodedPacket::binary_for(Protocol protocol, BinaryForm form, std::string_view bytes) {
  if (form == BinaryForm::frame) {
    if (protocol == Protocol::v4) return binary(bytes);
    EncodedPacket* packet = allocate(1 + bytes.size(), Opcode::binary);
    char* out = packet->data() + packet->header_bytes_;
    *out++ = '\4';
    bytes.copy(out, bytes.size());
    return PacketRef(packet);
  }
  std::string text(protocol == Protocol::v4 ? "b" : "b4");
  base64_encode_to(text, bytes);
  EncodedPacket* packet = allocate(text.size(), Opcode::text);
  text.copy(packet->data() + packet->header_bytes_, text.size());
  return PacketRef(packet);
}

PacketRef EncodedPacket::control(Opcode opcode, std::string_view payload) {
  assert(payload.size() <= websocket::kMaxControlPayload);
  EncodedPacket* packet = allocate(payload.size(), opcode);
  payload.copy(packet->data() + packet->header_bytes_, payload.size());
  return PacketRef(packet);
}

std::string_view EncodedPacket::frame() const { return {reinterpret_cast<const char*>(this + 1), total_}; }

std::string_view EncodedPacket::payload() const { return frame().substr(header_bytes_); }

void EncodedPacket::append_polling(std::string& out) const {
  if (binary_) {
    out.push_back('b');
    base64_encode_to(out, payload());
  } else {
    out.append(payload());
  }
}

PacketRef EncodedPacket::deflated(websocket::Deflater& deflater) const {
  const EncodedPacket* known = deflated_.load(std::memory_order_acquire);
  if (known == nullptr) {
    const std::string payload = deflater.deflate(this->payload());
    const EncodedPacket* made = this;
    if (payload.size() < size()) {
      EncodedPacket* packet =
          allocate(payload.size(), binary_ ? Opcode::binary : Opcode::text, websocket::kFin | websocket::kRsv1);
      payload.copy(packet->data() + packet->header_bytes_, payload.size());
      intrusive_ptr_add_ref(packet);
      made = packet;
    }
    // Another shard may have been faster: then its form is everyone's.
    if (deflated_.compare_exchange_strong(known, made, std::memory_order_acq_rel)) {
      known = made;
    } else if (made != this) {
      intrusive_ptr_release(made);
    }
  }
  return PacketRef(known);
}

void intrusive_ptr_add_ref(const EncodedPacket* packet) noexcept {
  packet->references_.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const EncodedPacket* packet) noexcept {
  // The last release must see every other thread's use before it frees.
  if (packet->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  packet->~EncodedPacket();
  ::operator delete(const_cast<EncodedPacket*>(packet));
}

}  // namespace payam::eio
