// The packets of a post's body, in the payload format of its session's protocol.
#pragma once

#include <string_view>
#include <variant>

#include "engineio/packet.hpp"
#include "engineio/payload_v3.hpp"
#include "engineio/session_types.hpp"

namespace payam::eio {

class PostBody {
 public:
  // `body` outlives it.
  PostBody(std::string_view body, PayloadForm form, Protocol protocol)
      : reader_(protocol == Protocol::v4 ? Reader(PayloadReader(body)) : Reader(PayloadReaderV3(body, form))) {}

  // As PayloadReader::next().
  PayloadReader::Step next(Packet& packet) {
    return std::visit([&](auto& reader) { return reader.next(packet); }, reader_);
  }

 private:
  using Reader = std::variant<PayloadReader, PayloadReaderV3>;
  Reader reader_;
};

}  // namespace payam::eio
