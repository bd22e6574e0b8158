// /metrics: what the parts of the server count, as Prometheus reads it, and who may read it. Nothing is counted here, and
// nothing is kept twice: a scrape asks the parts.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/disk_reserve.hpp"
#include "chat/app/http_meters.hpp"
#include "chat/app/options.hpp"
#include "chat/auth/password.hpp"
#include "chat/service/entry_limits.hpp"
#include "chat/service/event_meters.hpp"
#include "chat/service/limits.hpp"
#include "chat/service/messages.hpp"
#include "chat/service/uploads.hpp"
#include "http/server/server.hpp"
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
  const Passwords& passwords;
  const WorkerPool& passwords_pool;
  const WorkerPool& media_pool;
  const DiskReserve* disk;                    // null: nothing is kept on one
  const std::optional<http::Server>& server;  // has a value by the time of the first request
};

std::string metrics_text(const Measured& parts);

// Adds the route, unless METRICS=off.
void add_metrics(http::Router& router, const Options& options, Measured parts);

}  // namespace payam::chat
