// The schema of one fault as replies show it: FastAPI's ValidationError.
#pragma once

#include <boost/json/object.hpp>

#include "http/codec/schema.hpp"

namespace payam::http {

// A reference; the component is made once.
json::object fault_schema(Schemas& schemas);

}  // namespace payam::http
