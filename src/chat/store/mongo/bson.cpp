#include "chat/store/mongo/bson.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

// NOLINTBEGIN(bugprone-suspicious-stringview-data-usage): the length goes along, as length_of() has it.
namespace payam::chat::mongo {
namespace {

int length_of(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) throw BsonError("a text is too long for BSON");
  return static_cast<int>(text.size());
}

void check(bool fits) {
  if (!fits) throw BsonError("a document is too long for BSON");
}

Kind kind_of(const bson_iter_t& field) {
  switch (bson_iter_type(&field)) {
    case BSON_TYPE_NULL:
    case BSON_TYPE_UNDEFINED: return Kind::null;
    case BSON_TYPE_UTF8: return Kind::string;
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64: return Kind::integer;
    case BSON_TYPE_DOUBLE: return Kind::real;
    case BSON_TYPE_BOOL: return Kind::boolean;
    case BSON_TYPE_DATE_TIME: return Kind::date;
    case BSON_TYPE_DOCUMENT: return Kind::document;
    case BSON_TYPE_ARRAY: return Kind::array;
    case BSON_TYPE_BINARY: return Kind::bytes;
    case BSON_TYPE_OID: return Kind::object_id;
    default: return Kind::other;
  }
}

}  // namespace

std::string ObjectId::hex() const {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string_view Field::key() const { return {bson_iter_key(&at_), bson_iter_key_len(&at_)}; }

Kind Field::kind() const { return kind_of(at_); }

void Field::fail(std::string_view why) const {
  throw BsonError(fmt::format("a document of the database is not as expected: `{}` {}", key(), why));
}

std::optional<std::string_view> Field::text() const {
  if (kind() == Kind::null) return std::nullopt;
  if (kind() != Kind::string) fail("is no text");
  std::uint32_t length = 0;
  const char* text = bson_iter_utf8(&at_, &length);
  return std::string_view(text, length);
}

std::optional<std::int64_t> Field::integer() const {
  if (kind() == Kind::null) return std::nullopt;
  if (kind() == Kind::real) {
    const double value = bson_iter_double(&at_);
    const auto whole = value > -9e18 && value < 9e18 ? static_cast<std::int64_t>(value) : 0;
    if (static_cast<double>(whole) != value) fail("is no whole number");
    return whole;
  }
  if (kind() != Kind::integer) fail("is no number");
  return bson_iter_as_int64(&at_);
}

std::optional<double> Field::real() const {
  if (kind() == Kind::null) return std::nullopt;
  if (kind() != Kind::real && kind() != Kind::integer) fail("is no number");
  return kind() == Kind::real ? bson_iter_double(&at_) : static_cast<double>(bson_iter_as_int64(&at_));
}

std::optional<bool> Field::boolean() const {
  if (kind() == Kind::null) return std::nullopt;
  if (kind() != Kind::boolean) fail("is neither true nor false");
  return bson_iter_bool(&at_);
}

std::optional<std::int64_t> Field::date() const {
  if (kind() == Kind::null) return std::nullopt;
  if (kind() != Kind::date) fail("is no date");
  return bson_iter_date_time(&at_);
}

std::optional<View> Field::document() const {
  std::uint32_t length = 0;
  const std::uint8_t* data = nullptr;
  switch (kind()) {
    case Kind::null: return std::nullopt;
    case Kind::document: bson_iter_document(&at_, &length, &data); break;
    case Kind::array: bson_iter_array(&at_, &length, &data); break;
    default: fail("is neither a document nor a list");
  }
  return View(data, length);
}

std::optional<Bytes> Field::bytes() const {
  if (kind() == Kind::null) return std::nullopt;
  if (kind() != Kind::bytes) fail("holds no bytes");
  bson_subtype_t subtype{};
  std::uint32_t length = 0;
  const std::uint8_t* data = nullptr;
  bson_iter_binary(&at_, &subtype, &length, &data);
  return Bytes(reinterpret_cast<const std::byte*>(data), length);
}

std::optional<ObjectId> Field::object_id() const {
  if (kind() == Kind::null) return std::nullopt;
  if (kind() != Kind::object_id) fail("is no ObjectId");
  return ObjectId{std::to_array(bson_iter_oid(&at_)->bytes)};
}

void View::fail(std::string_view key, std::string_view why) {
  throw BsonError(fmt::format("a document of the database is not as expected: `{}` {}", key, why));
}

std::optional<Field> View::find(std::string_view key) const {
  bson_iter_t at;
  if (data_ == nullptr || !bson_iter_init_from_data(&at, data_, size_) ||
      !bson_iter_find_w_len(&at, key.data(), length_of(key))) {
    return std::nullopt;
  }
  return Field(at);
}

Kind View::kind(std::string_view key) const {
  const auto field = find(key);
  return field ? field->kind() : Kind::absent;
}

Document::Document() : handle_(bson_new()) {}

Document::Document(View view) : handle_(nullptr) {
  handle_ = view.data() == nullptr ? bson_new() : bson_new_from_data(view.data(), view.size());
  if (handle_ == nullptr) throw BsonError("these bytes are no BSON document");
}

Document::~Document() {
  if (handle_ != nullptr) bson_destroy(handle_);
}

Document::Document(Document&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Document& Document::operator=(Document&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

View Document::view() const { return {bson_get_data(handle_), handle_->len}; }

bool Document::empty() const { return bson_empty(handle_); }

Document& Document::add_all(View fields) {
  bson_t other;
  if (fields.data() == nullptr) return *this;
  check(bson_init_static(&other, fields.data(), fields.size()) && bson_concat(handle_, &other));
  return *this;
}

void Document::add_text(std::string_view key, std::string_view value) {
  check(bson_append_utf8(handle_, key.data(), length_of(key), value.data() == nullptr ? "" : value.data(), length_of(value)));
}

void Document::add_integer(std::string_view key, std::int64_t value) {
  check(bson_append_int64(handle_, key.data(), length_of(key), value));
}

void Document::add_real(std::string_view key, double value) {
  check(bson_append_double(handle_, key.data(), length_of(key), value));
}

void Document::add_bool(std::string_view key, bool value) {
  check(bson_append_bool(handle_, key.data(), length_of(key), value));
}

void Document::add_date(std::string_view key, std::int64_t millis) {
  check(bson_append_date_time(handle_, key.data(), length_of(key), millis));
}

void Document::add_document(std::string_view key, View value) {
  bson_t other;
  check(bson_init_static(&other, value.data(), value.size()) &&
        bson_append_document(handle_, key.data(), length_of(key), &other));
}

void Document::add_array(std::string_view key, const Document& value) {
  check(bson_append_array(handle_, key.data(), length_of(key), value.handle_));
}

void Document::add_bytes(std::string_view key, Bytes value) {
  check(bson_append_binary(handle_, key.data(), length_of(key), BSON_SUBTYPE_BINARY,
                           reinterpret_cast<const std::uint8_t*>(value.data()), static_cast<std::uint32_t>(value.size())));
}

void Document::add_object_id(std::string_view key, const ObjectId& value) {
  bson_oid_t oid;
  bson_oid_init_from_data(&oid, value.bytes.data());
  check(bson_append_oid(handle_, key.data(), length_of(key), &oid));
}

}  // namespace payam::chat::mongo
// NOLINTEND(bugprone-suspicious-stringview-data-usage)
