// Reading documents that other programs wrote: liberal about names and types, silent about nothing. The original service kept
// times as dates or as ISO texts with and without a zone, ids as ObjectIds or as texts.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "chat/store/mongo/bson.hpp"

namespace payam::chat::migrate {

using Names = std::initializer_list<std::string_view>;

// The first of these fields that is there and not null.
std::optional<mongo::Field> find_any(mongo::View document, Names names);

// A text as it is, an ObjectId in hex, an integer in decimal; nullopt for anything else, for an empty text and one that is not
// UTF-8 or holds a NUL.
std::optional<std::string> text_of(const mongo::Field& field);
std::optional<std::string> text_of(mongo::View document, Names names);

// A date; a text as of ISO 8601, UTC unless it names a zone; a number of seconds or, if large, milliseconds since 1970.
std::optional<Timestamp> time_of(const mongo::Field& field);
std::optional<Timestamp> time_of(mongo::View document, Names names);
// `2024-05-06T07:08:09`, with a space for the T, a fraction of any length, `Z`, `+03:30`, `+0330` or nothing behind it.
std::optional<Timestamp> parse_loose_time(std::string_view text);

// When an ObjectId was made.
std::optional<Timestamp> made_at(mongo::View document);

// Lower-cased and trimmed; nullopt if it has no @ between other characters.
std::optional<std::string> email_of(std::string_view text);

// An id of ours made of one of theirs: the same every time. `number` keeps what was made in one millisecond in its order.
std::string derived_id(Timestamp at, std::string_view kind, std::string_view source, std::uint32_t number = 0);

}  // namespace payam::chat::migrate
