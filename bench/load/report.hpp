// The result of a run as one JSON object on one line.
#pragma once

#include <cstdio>
#include <string>

namespace payam::bench {

class Report {
 public:
  Report& add(const char* key, double value) {
    char text[64];
    std::snprintf(text, sizeof text, "%.10g", value);
    return raw(key, text);
  }
  Report& add(const char* key, const char* value) { return raw(key, '"' + std::string(value) + '"'); }  // nothing to escape
  // `value` is JSON already.
  Report& raw(const char* key, const std::string& value) {
    text_ += (text_.empty() ? "{\"" : ",\"") + std::string(key) + "\":" + value;
    return *this;
  }
  std::string json() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string text_;
};

}  // namespace payam::bench
