#include "http/api/endpoint.hpp"

#include <algorithm>

#include "http/header_value.hpp"
#include "http/multipart.hpp"

namespace payam::http::detail {
namespace {

// The fields that are not files. What is malformed ends the list: the missing fields are then the faults.
Pairs multipart_fields(std::string_view body, std::string_view boundary) {
  Pairs pairs;
  MultipartReader reader(boundary);
  reader.give(body);
  reader.finish();
  for (;;) {
    switch (reader.next()) {
      case MultipartReader::Event::part: pairs.emplace_back(reader.part().name, ""); break;
      case MultipartReader::Event::data: pairs.back().second += reader.data(); break;
      case MultipartReader::Event::part_end:
        if (reader.part().filename) pairs.pop_back();
        break;
      default: return pairs;
    }
  }
}

}  // namespace

bool says(const std::vector<int>& documented, int status) {
  return status == 500 || status == 503 || status == 507 || std::ranges::find(documented, status) != documented.end();
}

bool has_json_body(const Request& request) {
  const auto type = parse_header_value(request.headers.find("Content-Type").value_or(""));
  return type && equals_ignoring_case(type->value, "application/json");
}

Pairs form_fields(const Request& request) {
  const auto type = request.headers.find("Content-Type").value_or("");
  if (const auto boundary = multipart_boundary(type)) return multipart_fields(request.body, *boundary);
  const auto parsed = parse_header_value(type);
  if (!parsed || !equals_ignoring_case(parsed->value, "application/x-www-form-urlencoded")) return {};
  return Query::parse(request.body).all();
}

}  // namespace payam::http::detail
