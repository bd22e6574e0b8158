// What stands behind a Server: its namespaces and what carries its connections. Any thread, unless said otherwise.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/salted_hash.hpp"
#include "engineio/server/server.hpp"
#include "http/server/router.hpp"
#include "payam/sio/server.hpp"
#include "socketio/server/cluster.hpp"
#include "socketio/server/core.hpp"
#include "socketio/server/namespace_impl.hpp"

namespace payam {
class ShardSet;
}
namespace payam::http {
class Server;
}

namespace payam::sio::detail {

class ServerImpl : public std::enable_shared_from_this<ServerImpl> {
 public:
  using ParentFunction = std::function<std::variant<bool, Task<bool>>(std::string, json::object)>;

  explicit ServerImpl(std::shared_ptr<Core> its_core);
  ~ServerImpl();
  // Once, after construction.
  void start();

  const std::shared_ptr<Core> core;

  // What an application asks for.
  std::shared_ptr<NamespaceImpl> main() const { return main_; }
  std::shared_ptr<NamespaceImpl> of(std::string_view name);
  std::shared_ptr<NamespaceImpl> add_parent(ParentFunction function);
  void on_new_namespace(std::function<void(Namespace)> listener);
  void attach(http::Router& router);
  std::uint16_t listen(const std::string& host, std::uint16_t port, const std::optional<Tls>& tls);
  bool handles(std::string_view target) const;
  Task<http::Response> handle(http::Request& request);
  Shard& here() const;
  void close();
  bool wait(Millis limit);
  Counters counters() const;

  // Nobody can reach it any more: closes, lets go of all handlers, and waits for its own threads.
  void shut_down();

  // A new connection, on its shard.
  std::shared_ptr<eio::SessionHandler> open(std::shared_ptr<eio::Session> session);

  // A namespace for a socket to come, counted as occupied; null: there is none, or no parent wants it. The second on a shard.
  std::shared_ptr<NamespaceImpl> enter(const std::string& name);
  Task<std::shared_ptr<NamespaceImpl>> enter_child(std::string name, json::object auth);

  // What it owns, if it runs by itself; set before start().
  std::unique_ptr<ShardSet> own_shards;
  std::unique_ptr<Shard> own_shard;

 private:
  struct Parent {
    std::shared_ptr<NamespaceImpl> nsp;
    ParentFunction function;
  };

  std::shared_ptr<NamespaceImpl> make_child(const Parent& parent, const std::string& name);
  void remove_if_empty(const std::string& name);
  void run_posted();
  std::shared_ptr<NamespaceImpl> find(const std::string& name);

  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<NamespaceImpl> main_;
  std::unique_ptr<eio::Server> engine_;
  http::Router own_routes_;  // for handle()
  std::vector<std::unique_ptr<http::Server>> listeners_;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<NamespaceImpl>, SaltedHash> namespaces_;  // clients name the children
  std::vector<Parent> parents_;
  std::size_t children_ = 0;
  std::vector<std::function<void(Namespace)>> new_namespace_listeners_;
};

// The engine's options among a server's.
eio::Options engine_options(const Options& options);

}  // namespace payam::sio::detail
