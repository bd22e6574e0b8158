// The pages for people: the chat at `/`, the API reference at `/docs` and `/docs/events`, and what they are made of under
// `/web/`. All of it lies inside the program and asks nothing from elsewhere.
#pragma once

#include "http/message.hpp"
#include "http/server/router.hpp"

namespace payam::web {

// GET and HEAD of `/docs`, `/docs/events` and `/web/{file...}`.
void add_routes(http::Router& router);

// The chat's page, for `/` when a browser asks (http::prefers_html).
http::Response chat_page(const http::Request& request);

}  // namespace payam::web
