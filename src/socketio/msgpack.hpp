// MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) to JSON values with attachments and back, as npm's
// notepack.io does it: binary becomes an attachment, a Date its ISO text, `undefined` and unknown extensions null. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payam/sio/json.hpp"
#include "socketio/packet.hpp"

namespace payam::sio {

// nullopt: not MessagePack, cut off, nested deeper than JSON may be, keys that are not strings, bytes left over, over `limits`;
// or a map that is a placeholder, which only binary data may become.
std::optional<boost::json::value> read_msgpack(std::string_view bytes, const PacketLimits& limits,
                                               std::vector<Binary>& attachments);

// Placeholders in `value` that name one of `attachments` become its bytes.
void write_msgpack(std::string& out, const boost::json::value& value, std::span<const Binary> attachments);
void write_msgpack_map_header(std::string& out, std::size_t fields);
void write_msgpack_array_header(std::string& out, std::size_t elements);
void write_msgpack_string(std::string& out, std::string_view text);

}  // namespace payam::sio
