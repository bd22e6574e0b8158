// What is wrong with an input: every fault at once, each with its place, in the shape FastAPI and Pydantic v2 give them.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace payam::http {

namespace json = boost::json;

// `["body", "members", 0]`
using Step = std::variant<std::string, std::size_t>;
using Location = std::vector<Step>;

struct Fault {
  std::string type;  // Pydantic's: "missing", "string_too_short", …
  Location loc;
  std::string msg;
  json::value input;
  json::object ctx;  // left out if empty
};
using Faults = std::vector<Fault>;

template <class T>
using Parsed = std::expected<T, Faults>;

// {"type":"missing","loc":["body","email"],"msg":"Field required","input":{}}
json::object to_json(const Fault& fault);
// {"detail":[…]}: the body of a 422.
std::string faults_body(const Faults& faults);

// What stands for a secret, as with Pydantic's SecretStr. Null, which is none, stays.
void conceal(json::value& secret);

// Where in the input the parser stands, and what it found wrong. At most kMaxFaults are kept: one request must not be
// answered with a thousand times its size.
class Reader {
 public:
  static constexpr std::size_t kMaxFaults = 100;
  static constexpr std::size_t kMaxEcho = 1024;  // an `input` that takes more bytes is cut (text) or emptied (containers)

  // Makes a value presentable that holds secrets; null for a type without any.
  using Hide = void (*)(json::value& shown);

  // `flat`: queries and forms, where a missing field has no surrounding object to show.
  Reader(Location root, bool flat, Hide hide) : root_(std::move(root)), flat_(flat), hide_(hide) {}

  // One level down, for a scope; `hide` is of the type that is read there.
  class Below {
   public:
    Below(Reader& reader, std::variant<std::string_view, std::size_t> step, Hide hide)
        : reader_(reader), hide_(std::exchange(reader.hide_, hide)) {
      reader_.path_.push_back(step);
    }
    ~Below() {
      reader_.path_.pop_back();
      reader_.hide_ = hide_;
    }
    Below(const Below&) = delete;
    Below& operator=(const Below&) = delete;

   private:
    Reader& reader_;
    const Hide hide_;  // the level's above
  };

  // Always false, so that `return reader.fault(…)` reads well.
  bool fault(std::string_view type, std::string msg, const json::value& input, json::object ctx = {});
  bool missing(std::string_view name, const json::object& parent);
  // A rule of our own, `Value error, …`.
  bool value_error(std::string_view reason, const json::value& input);

  std::size_t count() const { return count_; }
  Faults take() { return std::move(faults_); }

 private:
  Location here() const;

  Location root_;
  bool flat_;
  Hide hide_;
  std::vector<std::variant<std::string_view, std::size_t>> path_;  // the names outlive the reading
  Faults faults_;
  std::size_t count_ = 0;
};

}  // namespace payam::http
