#include "socketio/content.hpp"

#include <stdexcept>

#include "socketio/json_text.hpp"
#include "socketio/packet.hpp"

namespace payam::sio {

Content::Content(Arguments arguments) {
  if (!arguments.attachments.empty()) arrange_attachments(arguments);
  values_ = std::move(arguments.values);
  attachments_ = std::move(arguments.attachments);
}

Content::Content(std::string json_arguments, std::vector<Binary> attachments)
    : json_(std::move(json_arguments)), attachments_(std::move(attachments)) {}

const std::string& Content::json() {
  if (!json_) write_json_elements(json_.emplace(), *values_);
  return *json_;
}

const boost::json::array& Content::values() {
  if (!values_) {
    boost::json::value parsed;
    std::string ignored;
    if (read_json("[" + *json_ + "]", parsed, ignored) != JsonStatus::ok) {
      throw std::invalid_argument("emit_raw: the arguments are not JSON");
    }
    values_ = std::move(parsed.get_array());
  }
  return *values_;
}

}  // namespace payam::sio
