// /metrics: what the parts of the server count, as Prometheus reads it, and who may read it. Nothing is counted here, and
// nothing is kept twice: a scrape asks the parts.
#pragma once

#include <string>

#include "chat/app/http_meters.hpp"
#include "chat/app/options.hpp"
#include "chat/service/entry_limits.hpp"
#include "chat/service/event_meters.hpp"
#include "chat/service/limits.hpp"
#include "chat/service/messages.hpp"
#include "chat/service/uploads.hpp"
#include "payam/sio/server.hpp"
#include "runtime/worker_pool.hpp"

namespace payam::chat {

// All outlive the route.
struct Measured {
  const sio::Server& io;
  const Store& store;
  const EventMeters& events;
  const HttpMeters& http;
  const Messages& messages;
  const Uploads& uploads;
  const Limits& limits;
  const EntryLimits* entry_limits;  // null: off
  const WorkerPool& passwords;
  const WorkerPool& media;
};

std::string metrics_text(const Measured& parts);

// Adds the route, unless METRICS=off.
void add_metrics(http::Router& router, const Options& options, Measured parts);

}  // namespace payam::chat
