// The arguments of a packet on its way out, in whichever form the caller has them; the other form is made when asked for. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "payam/sio/json.hpp"

namespace payam::sio {

class Content {
 public:
  explicit Content(Arguments arguments);
  // `json_arguments`: comma-separated, without brackets.
  explicit Content(std::string json_arguments, std::vector<Binary> attachments = {});

  const std::string& json();
  const boost::json::array& values();
  const std::vector<Binary>& attachments() const { return attachments_; }

 private:
  std::optional<std::string> json_;
  std::optional<boost::json::array> values_;
  std::vector<Binary> attachments_;
};

}  // namespace payam::sio
