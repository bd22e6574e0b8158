// For tests: what the program writes to its log meanwhile, a line an event, `info what key=value …`.
#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace payam::chat::testing {

class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  // The lines so far; nothing writes meanwhile.
  std::vector<std::string> lines() const {
    std::vector<std::string> list;
    std::istringstream all(text_.str());
    for (std::string line; std::getline(all, line);) list.push_back(line);
    return list;
  }
  // Those that begin with `info what`.
  std::vector<std::string> lines(const std::string& what) const {
    std::vector<std::string> list = lines();
    std::erase_if(list, [&](const std::string& line) { return !line.starts_with("info " + what + " "); });
    return list;
  }
  std::string text() const { return text_.str(); }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

}  // namespace payam::chat::testing
