#include "fuzz/application/shapes.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <cstdint>

#include "base/base64.hpp"

namespace payam::fuzz {
namespace {

namespace json = boost::json;

constexpr std::size_t kHuge = 30'000;
constexpr std::size_t kDeep = 300;

std::string json_string(std::string_view text) { return json::serialize(json::string_view(text.data(), text.size())); }

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

// Text that is JSON and hard to swallow.
constexpr std::string_view kOddJson[] = {
    R"("\ud800")",
    R"("\u0000")",
    "1e400",
    "-0",
    "9223372036854775808",
    "0.1",
    "true",
    "null",
    R"({"":1})",
    R"({"a":1,"a":2})",
    "[]",
    "{}",
    R"("")",
    "[[],[null]]",
    "1E2",
    R"({"_placeholder":true,"num":0})",
};
constexpr std::string_view kNumbers[] = {"0", "-1", "2", "500", "501", "4294967296", "9007199254740993", "1.0", "1e2", "\"1\""};

std::string right_number(const json::object& schema, Input& in) {
  const unsigned which = in.choose(12);
  const auto* least = schema.if_contains("minimum");
  const auto* most = schema.if_contains("maximum");
  if (which == 0) return least != nullptr ? json::serialize(*least) : "1";
  if (which == 1 && most != nullptr) return json::serialize(*most);
  return std::string(kNumbers[(which - 1) % std::size(kNumbers)]);
}

const json::value& string_schema() {
  static const json::value schema = {{"type", "string"}};
  return schema;
}

void write_object(std::string& out, const json::object& schema, World& world, Input& in) {
  out += '{';
  bool first = true;
  const auto field = [&](std::string_view name) {
    if (!first) out += ',';
    first = false;
    out += json_string(name) + ':';
  };
  if (const auto* properties = schema.if_contains("properties")) {
    const auto* required = schema.if_contains("required");
    for (const auto& [name, property] : properties->as_object()) {
      bool needed = false;
      if (required != nullptr) {
        for (const auto& each : required->as_array()) needed = needed || each == name;
      }
      // 0: what is needed and nothing else.
      const unsigned choice = in.choose(8);
      if (needed ? choice == 7 : choice % 2 == 0) continue;
      field(name);
      write_shape(out, property, name, world, in);
      if (choice == 6) {
        field(name);  // a second time
        write_shape(out, property, name, world, in);
      }
    }
  }
  if (const auto* values = schema.if_contains("additionalProperties"); values != nullptr && values->is_object()) {
    const unsigned count = 1 + in.choose(3);
    for (unsigned i = 0; i < count; ++i) {
      field(world.value("room", in));
      write_shape(out, *values, "", world, in);
    }
  }
  if (in.rarely(8)) {
    field(in.text());
    write_shape(out, string_schema(), "", world, in);
  }
  out += '}';
}

void write_right(std::string& out, const json::object& schema, std::string_view name, World& world, Input& in) {
  if (const auto* any = schema.if_contains("anyOf")) {
    const auto& choices = any->as_array();
    return write_shape(out, choices[in.choose(static_cast<unsigned>(choices.size()))], name, world, in);
  }
  if (const auto* words = schema.if_contains("enum")) {
    const auto& choices = words->as_array();
    out += json::serialize(choices[in.choose(static_cast<unsigned>(choices.size()))]);
    return;
  }
  const auto* type = schema.if_contains("type");
  const std::string_view kind = type != nullptr && type->is_string() ? std::string_view(type->as_string()) : "";
  if (kind == "object") return write_object(out, schema, world, in);
  if (kind == "array") {
    const auto* items = schema.if_contains("items");
    const unsigned count = (schema.contains("minItems") ? 1 : 0) + in.choose(4);
    out += '[';
    for (unsigned i = 0; i < count; ++i) {
      if (i != 0) out += ',';
      write_shape(out, items != nullptr ? *items : string_schema(), name, world, in);
    }
    out += ']';
    return;
  }
  if (kind == "integer" || kind == "number") {
    out += right_number(schema, in);
  } else if (kind == "boolean") {
    out += in.choose(2) == 0 ? "true" : "false";
  } else if (kind == "null") {
    out += "null";
  } else {
    out += json_string(world.value(name, in));
  }
}

// A parameter's or a form field's value, not yet coded.
std::string plain_value(const json::value& schema, std::string_view name, World& world, Input& in) {
  const auto& resolved = world.resolve(schema);
  const auto* object = resolved.if_object();
  std::string_view type;
  if (object != nullptr) {
    const auto* field = object->if_contains("type");
    if (field == nullptr && object->contains("anyOf"))
      field = object->at("anyOf").as_array()[0].as_object().if_contains("type");
    if (field != nullptr && field->is_string()) type = field->as_string();
  }
  if (type == "integer") return right_number(*object, in);
  return world.value(name, in);
}

std::string percent(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// Which kind of value a field of this name is for this operation.
std::string_view meaning(const Route& route, std::string_view name) {
  if (name == "id" && route.path.starts_with("/auth/sessions")) return "session";
  if (name == "id" && route.path.starts_with("/media")) return "upload";
  if (name == "name" && route.path.starts_with("/media")) return "file_name";
  if (name == "username" && route.path != "/auth/signup") return "email";
  return name;
}

std::string make_target(const Route& route, World& world, Input& in) {
  std::string target;
  std::string_view rest = route.path;
  while (!rest.empty()) {
    const std::size_t open = rest.find('{');
    target += rest.substr(0, open);
    if (open == rest.npos) break;
    const std::size_t close = rest.find('}', open);
    target += percent(world.value(meaning(route, rest.substr(open + 1, close - open - 1)), in));
    rest.remove_prefix(close + 1);
  }
  char mark = '?';
  for (const auto& parameter : route.parameters) {
    if (parameter.in_path) continue;
    const bool given = in.choose(2) == (parameter.required ? 0 : 1);
    if (!given) continue;
    target += std::exchange(mark, '&') + percent(parameter.name) + '=';
    target += percent(plain_value(parameter.schema, meaning(route, parameter.name), world, in));
  }
  if (in.rarely(16)) target += std::exchange(mark, '&') + percent(in.text());
  return target;
}

std::string make_form(const Route& route, const json::object& schema, World& world, Input& in) {
  std::string body;
  for (const auto& [name, property] : schema.at("properties").as_object()) {
    if (in.rarely(6)) continue;
    if (!body.empty()) body += '&';
    body += percent(name) + '=' + percent(plain_value(property, meaning(route, name), world, in));
  }
  return body;
}

constexpr std::string_view kFiles[] = {
    "some text",
    "",
    std::string_view("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89", 33),
    std::string_view("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9", 22),
    std::string_view("RIFF\x10\0\0\0WEBPVP8L\0\0\0\0", 20),
    "GIF89a\1\0\1\0",
    "<svg onload=alert(1)>",
    "--X\r\n",
    std::string_view("\0\0\0\x20"
                     "ftypisom\0\0\2\0",
                     16),
};

std::string make_multipart(World& world, Input& in) {
  std::string body;
  const unsigned parts = 1 + in.choose(3);
  for (unsigned i = 0; i < parts; ++i) {
    body += "--X\r\nContent-Disposition: form-data; name=\"";
    body += in.rarely(6) ? in.text() : "file";
    body += '"';
    if (!in.rarely(6)) body += "; filename=\"" + (in.rarely(4) ? world.expand(in.text(), in) : "notes.txt") + '"';
    body += "\r\n";
    if (in.rarely(6)) body += in.text() + "\r\n";
    body += "\r\n";
    const unsigned file = in.choose(std::size(kFiles) + 2);
    if (file < std::size(kFiles)) {
      body += kFiles[file];
    } else if (file == std::size(kFiles)) {
      body += in.text();
    } else {
      body += std::string(kHuge * 5, 'x');  // more than one may upload
    }
    body += "\r\n";
  }
  if (!in.rarely(8)) body += "--X--\r\n";
  return body;
}

struct Body {
  std::string type, text;
};

Body make_body(const Route& route, World& world, Input& in) {
  // Of an operation that has none: mostly none.
  if (route.contents.empty()) return in.rarely(16) ? Body{"application/json", in.text()} : Body{};
  const auto& content = route.contents[in.choose(static_cast<unsigned>(route.contents.size()))];
  Body body{content.type, {}};
  const auto& schema = world.resolve(content.schema);
  if (content.type == "application/json") {
    write_shape(body.text, schema, "", world, in);
  } else if (content.type == "multipart/form-data") {
    body.type += "; boundary=X";
    body.text = make_multipart(world, in);
  } else {
    body.text = make_form(route, schema.as_object(), world, in);
  }
  switch (in.choose(20)) {
    case 11: body.text.clear(); break;
    case 12: body.text.resize(body.text.size() / 2); break;
    case 13: body.text = in.text(); break;
    case 14: body.type = in.text(); break;
    case 15: body.type = "application/json"; break;
    case 16: body.type = "application/x-www-form-urlencoded"; break;
    case 17: body.type = "multipart/form-data; boundary=X"; break;
    case 18: body.text = "\xef\xbb\xbf" + body.text; break;
    case 19: body.text.insert(body.text.size() / 2, in.text()); break;
    default: break;
  }
  return body;
}

void add_headers(std::string& head, World& world, Input& in) {
  switch (in.choose(32)) {
    case 16: head += "Accept: text/html\r\n"; break;
    case 17: head += "Accept-Encoding: gzip\r\n"; break;
    case 18: head += "If-None-Match: *\r\n"; break;
    case 19: head += "Range: bytes=" + in.text() + "\r\n"; break;
    case 20: head += "Range: bytes=0-3\r\n"; break;
    case 21: head += "Expect: 100-continue\r\n"; break;
    case 22: head += "Connection: close\r\n"; break;
    case 23: head += "Origin: https://chat.example.org\r\nAccess-Control-Request-Method: PUT\r\n"; break;
    case 24: head += "X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: https\r\n"; break;
    case 25: head += "Cookie: payam_media=" + world.value("token", in) + "\r\n"; break;
    case 26: head += "X-Request-ID: " + std::string(70, 'x') + "\r\n"; break;
    case 27: head += "User-Agent: " + std::string(2'000, 'u') + "\r\n"; break;
    default: break;
  }
}

bool may_change_people(const Route& route) {
  return route.method != "GET" && (route.path.starts_with("/auth/") || route.path.ends_with("/members") ||
                                   route.method == "DELETE" || route.method == "PATCH" || route.path.ends_with("/join"));
}

}  // namespace

void write_shape(std::string& out, const json::value& schema, std::string_view name, World& world, Input& in) {
  switch (in.choose(32)) {
    case 26: out += json_string(std::string(kHuge, 'x')); return;
    case 27: out += nested(kDeep); return;
    case 28: out += "null"; return;
    case 29: out += "1"; return;
    case 30: out += json_string(""); return;
    case 31: out += kOddJson[in.choose(std::size(kOddJson))]; return;
    default: break;
  }
  const auto* object = world.resolve(schema).if_object();
  if (object == nullptr) {
    out += "{}";
  } else {
    write_right(out, *object, name, world, in);
  }
}

MadeRequest make_request(World& world, Input& in) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"};
  const Route& route = world.routes()[in.choose(static_cast<unsigned>(world.routes().size()))];
  MadeRequest made;
  const std::string method(in.rarely(24) ? kMethods[in.choose(std::size(kMethods))] : std::string_view(route.method));
  made.what = method + ' ' + make_target(route, world, in);
  made.head_only = method == "HEAD";
  made.changes_people = may_change_people(route);

  std::string head = made.what + " HTTP/1.1\r\nHost: x\r\n";
  const unsigned who = in.choose(8);
  if (who < 6) head += "Authorization: Bearer " + world.person(who).access_token + "\r\n";
  if (who == 6) head += "Authorization: " + in.text() + "\r\n";
  add_headers(head, world, in);

  const Body body = make_body(route, world, in);
  if (!body.type.empty()) head += "Content-Type: " + body.type + "\r\n";
  // Text of the input may have ended the head, or be no header.
  made.whole = made.what.find_first_of("\r\n") == made.what.npos && who != 6 && head.find(": bytes=") == head.npos &&
               body.type.find_first_of(std::string_view("\r\n\0", 3)) == body.type.npos;
  switch (in.choose(16)) {
    case 11:  // never finished
      head += fmt::format("Content-Length: {}\r\n", body.text.size() + 100);
      made.whole = false;
      break;
    case 12:  // the rest is a request of its own
      head += fmt::format("Content-Length: {}\r\n", body.text.size() / 2);
      made.whole = made.whole && body.text.empty();
      break;
    case 13:
    case 14: {
      const std::size_t cut = body.text.size() / 2;
      head += "Transfer-Encoding: chunked\r\n";
      std::string chunks;
      for (const std::string_view chunk :
           {std::string_view(body.text).substr(0, cut), std::string_view(body.text).substr(cut)}) {
        if (!chunk.empty()) chunks += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
      }
      made.bytes = head + "\r\n" + chunks + "0\r\n\r\n";
      return made;
    }
    case 15:
      head += "Content-Length: 0\r\n\r\n";
      made.bytes = head;
      return made;
    default:
      if (!body.text.empty() || !body.type.empty()) head += fmt::format("Content-Length: {}\r\n", body.text.size());
  }
  made.bytes = head + "\r\n" + body.text;
  return made;
}

MadeEvent make_event(World& world, Input& in, std::uint64_t ack, bool wants_ack) {
  MadeEvent made;
  const auto& events = world.events();
  const EventKind& kind = events[in.choose(static_cast<unsigned>(events.size()))];
  std::string name = kind.name;
  const unsigned oddity = in.choose(24);
  if (oddity == 20) name = in.text();
  if (oddity == 21) name = "nothing";
  made.known = name == kind.name;
  std::string arguments = "[" + json_string(name);
  if (oddity != 22) {
    arguments += ',';
    write_shape(arguments, kind.schema, "", world, in);
  }
  if (oddity == 23) arguments += "," + in.text();
  made.attachments = in.rarely(16) ? 1 + in.choose(3) : 0;
  for (unsigned i = 0; i < made.attachments; ++i) arguments += fmt::format(R"(,{{"_placeholder":true,"num":{}}})", i);
  arguments += ']';
  if (oddity == 23) made.whole = false;
  const std::string id = wants_ack ? std::to_string(ack) : "";
  made.text = made.attachments != 0 ? fmt::format("5{}-{}{}", made.attachments, id, arguments) : "2" + id + arguments;
  return made;
}

MadeConnect make_connect(World& world, Input& in) {
  const unsigned choice = in.choose(16);
  const std::string token = R"("token":)" + json_string(world.person(in.choose(3)).access_token);
  const std::string recovery = R"(,"recovery":true)";
  switch (choice) {
    case 8: return {"0"};
    case 9: return {R"(0{"token":"no token"})"};
    case 10: return {"0/admin,{" + token + "}"};
    case 11: return {"0/" + in.text() + ",{}", false};
    case 12: return {"0" + in.text(), false};
    case 13: return {R"(0{"token":)" + std::string(kOddJson[in.choose(std::size(kOddJson))]) + "}"};
    case 14: return {"0{" + token + recovery + "}"};
    case 15:
      return {"0{" + token + recovery + R"(,"pid":)" + json_string(world.value("pid", in)) + R"(,"offset":)" +
              json_string(in.text()) + "}"};
    default: return {"0{" + token + "}"};
  }
}

}  // namespace payam::fuzz
