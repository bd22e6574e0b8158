#include "chat/app/metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "chat/api/bearer.hpp"
#include "chat/auth/secret_hash.hpp"
#include "http/api/refusal.hpp"

namespace payam::chat {
namespace {

void write_connections(PrometheusText& text, const sio::Counters& io) {
  text.gauge("payam_connections", "Open Engine.IO connections");
  text.sample(io.websockets_open, {{"transport", "websocket"}});
  text.sample(io.connections_open - std::min(io.websockets_open, io.connections_open), {{"transport", "polling"}});
  text.counter("payam_handshakes_total", "Engine.IO connections opened");
  text.sample(io.connections_opened);
  text.counter("payam_upgrades_total", "Connections that went from polling to websocket");
  text.sample(io.upgrades);
  text.gauge("payam_sockets", "Connected sockets");
  text.sample(io.sockets_open);
  text.gauge("payam_sockets_recoverable", "Sockets that lost their connection and may recover");
  text.sample(io.sessions_kept);
  text.counter("payam_sockets_connected_total", "Sockets that connected, recovered ones included");
  text.sample(io.sockets_connected);
  text.counter("payam_sockets_recovered_total", "Sockets that took over the state of an earlier one");
  text.sample(io.sockets_recovered);
  text.counter("payam_sockets_refused_total", "Sockets that were not let in");
  text.sample(io.sockets_refused);
  text.gauge("payam_rooms", "Socket.IO rooms with somebody in them, those of one user or session too; counted on each thread");
  text.sample(io.rooms);
}

void write_traffic(PrometheusText& text, const sio::Counters& io, const Measured& parts) {
  text.counter("payam_events_received_total", "Events received, also unknown ones");
  text.sample(io.events_received);
  text.counter("payam_events_total", "Events of the chat by how they ended");
  for (const auto& [event, result, count] : parts.events.counts()) text.sample(count, {{"event", event}, {"result", result}});
  text.counter("payam_sends_total", "Messages sent, by events and calls, by how it ended");
  for (const auto& [result, count] : parts.messages.sends().by_name()) text.sample(count, {{"result", result}});
  text.counter("payam_broadcasts_total", "Events broadcast");
  text.sample(io.broadcasts);
  text.counter("payam_deliveries_total", "Packets handed to connections");
  text.sample(io.deliveries);
  text.counter("payam_volatile_dropped_total", "Volatile packets dropped as their connection was busy");
  text.sample(io.volatile_dropped);
  text.gauge("payam_queued_bytes", "Bytes queued for all connections and not yet with the kernel");
  text.sample(io.bytes_queued);
  text.counter("payam_connections_cut_total", "Connections closed for what their client did");
  text.sample(io.connections_overflowed, {{"reason", "slow_consumer"}});
  text.sample(io.connections_overloaded, {{"reason", "too_many_handlers"}});
  text.sample(io.packets_invalid, {{"reason", "invalid_packet"}});
  text.sample(io.connections_insistent, {{"reason", "too_many_namespaces"}});
  text.sample(io.attachments_timed_out, {{"reason", "attachment_late"}});
  text.sample(parts.limits.floods(), {{"reason", "flood"}});
}

void write_limits(PrometheusText& text, const Limits& limits, const EntryLimits* entry) {
  text.counter("payam_rate_limited_total", "What was refused as too often");
  text.sample(entry == nullptr ? 0 : entry->logins.refused(), {{"kind", "logins"}});
  text.sample(entry == nullptr ? 0 : entry->signups.refused(), {{"kind", "signups"}});
  text.sample(entry == nullptr ? 0 : entry->checks.refused(), {{"kind", "checks"}});
  text.sample(entry == nullptr ? 0 : entry->handshakes.refused(), {{"kind", "handshakes"}});
  text.sample(limits.refused(Act::send), {{"kind", "sends"}});
  text.sample(limits.refused(Act::join), {{"kind", "joins"}});
  text.sample(limits.refused(Act::read), {{"kind", "reads"}});
  text.sample(limits.refused(Act::typing), {{"kind", "typing"}});
  text.sample(limits.refused(Act::upload), {{"kind", "uploads"}});
  text.sample(limits.refused(Act::download), {{"kind", "downloads"}});
  text.sample(limits.refused(Act::list), {{"kind", "lists"}});
  text.sample(limits.refused(Act::people), {{"kind", "people"}});
  text.sample(limits.refused(Act::profile), {{"kind", "profile"}});
  text.sample(limits.refused(Act::stranger), {{"kind", "strangers"}});
}

// What is held on callers' behalf, see HoldingLimits.
void write_holdings(PrometheusText& text, const sio::Counters& io, const Measured& parts) {
  const std::pair<std::string_view, BudgetCounters> kinds[] = {
      {"connections", BudgetCounters::of(parts.server->connection_budget())},
      {"polling_sessions", io.polling_connections},
      {"http_body_bytes", BudgetCounters::of(parts.server->body_budget())},
      {"socket_body_bytes", io.incoming_bytes},
      {"http_reply_bytes", BudgetCounters::of(parts.server->reply_budget())},
      {"socket_reply_bytes", io.outgoing_bytes},
      {"attachment_bytes", io.attachment_bytes},
      {"passwords", BudgetCounters::of(parts.passwords.budget())},
      {"searches", BudgetCounters::of(parts.messages.searches())},
      {"uploads", BudgetCounters::of(parts.uploads.under_way())}};
  text.gauge("payam_held", "What is held for callers at the moment: bytes, or how many");
  for (const auto& [kind, counters] : kinds) text.sample(counters.held, {{"kind", kind}});
  text.counter("payam_over_bound_total", "What was refused as somebody held too much, by whose bound it was");
  for (const auto& [kind, counters] : kinds) {
    text.sample(counters.refused_user, {{"kind", kind}, {"bound", "user"}});
    text.sample(counters.refused_address, {{"kind", kind}, {"bound", "address"}});
    text.sample(counters.refused_total, {{"kind", kind}, {"bound", "total"}});
  }
}

void write_store(PrometheusText& text, const StoreMeters& store) {
  text.histogram("payam_commit_batch_changes", "Pieces of work made durable together");
  text.buckets(store.batch_changes.bounds(), store.batch_changes.counts(), store.batch_changes.sum());
  text.histogram("payam_commit_batch_seconds", "From a batch's beginning until it was durable");
  text.buckets(store.batch_seconds.bounds(), store.batch_seconds.counts(), store.batch_seconds.sum());
  text.counter("payam_commit_batches_failed_total", "Batches of which nothing was kept");
  text.sample(store.batches_failed.load(std::memory_order_relaxed));
  text.histogram("payam_store_read_seconds", "Reads of the store, the wait for a free reader included");
  text.buckets(store.read_seconds.bounds(), store.read_seconds.counts(), store.read_seconds.sum());
  text.gauge("payam_search_lag_seconds", "How long the oldest change not yet in the search index has waited");
  text.sample(std::chrono::duration<double>(store.search_lag(steady_now())).count());
}

// The fields of /proc/self/stat from the third on, as the name before them may hold anything.
std::vector<std::string> process_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line(std::istreambuf_iterator<char>(file), {});
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  return {std::istream_iterator<std::string>(fields), {}};
}

// With the names and meanings of Prometheus' own client libraries.
void write_process(PrometheusText& text) {
  const auto stat = process_stat();
  constexpr std::size_t kUser = 11, kSystem = 12, kThreads = 17, kStart = 19, kVirtual = 20, kResident = 21;
  if (stat.size() <= kResident) return;
  const auto number = [&](std::size_t index) { return std::stod(stat[index]); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  text.counter("process_cpu_seconds_total", "Processor time, of user and system");
  text.sample((number(kUser) + number(kSystem)) / ticks);
  text.gauge("process_resident_memory_bytes", "Memory in use");
  text.sample(number(kResident) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  text.gauge("process_virtual_memory_bytes", "Address space in use");
  text.sample(number(kVirtual));
  text.gauge("process_threads", "Threads");
  text.sample(number(kThreads));

  std::error_code ignored;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", ignored);
  text.gauge("process_open_fds", "Open descriptors");
  text.sample(static_cast<std::uint64_t>(std::distance(begin(descriptors), end(descriptors))));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  text.gauge("process_max_fds", "Descriptors that may be open");
  text.sample(std::uint64_t{limit.rlim_cur});

  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("btime ")) continue;
    text.gauge("process_start_time_seconds", "When it was started, seconds since 1970");
    text.sample(std::stod(line.substr(6)) + number(kStart) / ticks);
  }
}

// Fields by which proxies say that they are some: then the peer is whoever the proxy serves, not who it is.
bool came_through_proxy(const http::Request& request) {
  for (const char* name : {"X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"}) {
    if (request.headers.has(name)) return true;
  }
  return false;
}

// Whether a Host field names the machine itself. A page elsewhere, whose name was made to lead to 127.0.0.1 (DNS rebinding),
// could read everything else through a browser that runs here.
bool names_this_machine(std::optional<std::string_view> host) {
  if (!host) return true;  // HTTP/1.0, which no browser speaks
  const bool bracketed = host->starts_with('[');
  const auto name = host->substr(0, bracketed ? host->find(']') + 1 : host->find(':'));
  if (http::equals_ignoring_case(name, "localhost") || name == "[::1]") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address_v4(name, error);
  return !error && address.is_loopback();
}

bool is_local(const http::Request& request, bool trusts_proxies) {
  boost::system::error_code error;
  auto address = boost::asio::ip::make_address(request.peer, error);
  if (error) return false;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  return address.is_loopback() && (trusts_proxies || !came_through_proxy(request)) &&
         names_this_machine(request.headers.find("Host"));
}

// Compared by their hashes, so that the time taken tells nothing.
std::optional<std::string> hash_of(const std::string& token) {
  return token.empty() ? std::nullopt : std::optional(hash_secret(token));
}

}  // namespace

std::string metrics_text(const Measured& parts) {
  PrometheusText text;
  const sio::Counters io = parts.io.counters();
  text.gauge("payam_build_info", "The program; always 1");
  text.sample(std::uint64_t{1}, {{"version", PAYAM_VERSION}});
  write_connections(text, io);
  write_traffic(text, io, parts);
  write_limits(text, parts.limits, parts.entry_limits);
  write_holdings(text, io, parts);
  write_store(text, parts.store.meters());
  text.gauge("payam_pool_queued_jobs", "Jobs that wait for a thread");
  text.sample(std::uint64_t{parts.passwords_pool.queued()}, {{"pool", "passwords"}});
  text.sample(std::uint64_t{parts.media_pool.queued()}, {{"pool", "media"}});
  text.counter("payam_uploads_total", "Files uploaded");
  text.sample(parts.uploads.kept());
  text.counter("payam_upload_bytes_total", "Bytes of files uploaded");
  text.sample(parts.uploads.kept_bytes());
  if (parts.disk != nullptr) {
    text.gauge("payam_disk_free_bytes", "Free space of DATA_DIR's disk");
    text.sample(parts.disk->free());
    text.gauge("payam_disk_kept_free_bytes", "What uploads leave free; messages leave a quarter of it");
    text.sample(parts.disk->reserve());
  }
  parts.http.write(text);
  write_process(text);
  return text.take();
}

void add_metrics(http::Router& router, const Options& options, Measured parts) {
  if (options.metrics == MetricsAccess::off) return;
  const bool open = options.metrics == MetricsAccess::on, trusts_proxies = !options.trusted_proxies.empty();
  router.add(http::Method::get, "/metrics",
             [=, token = hash_of(options.metrics_token)](Shard&, http::Request& request) -> Task<http::Response> {
               const auto given = api::bearer_token(request.headers.find("Authorization"));
               if (token && (!given || hash_secret(*given) != *token)) {
                 co_return http::refuse(Error{Errc::unauthorized, "The metrics need METRICS_TOKEN"});
               }
               if (!token && !open && !is_local(request, trusts_proxies)) {
                 co_return http::refuse(Error{Errc::forbidden, "The metrics are for this machine alone (METRICS)"});
               }
               co_return http::Response::text(200, metrics_text(parts), PrometheusText::kContentType);
             });
}

}  // namespace payam::chat
