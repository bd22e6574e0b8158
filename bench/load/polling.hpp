// Engine.IO over HTTP long-polling on one keep-alive connection: what waits to be sent goes before the next GET. Fit for a
// receiver; a publisher would need a second connection.
#pragma once

#include <string>
#include <string_view>

#include "load/client.hpp"

namespace payam::bench {

class PollingClient final : public Client {
 public:
  PollingClient(Loop& loop, ClientHandler& handler, const Options& options, int index)
      : Client(loop, handler, options, index) {}

  void send(std::string_view packet) override;
  void send_binary(std::string_view bytes) override;

 private:
  void on_connected() override { request(); }
  std::size_t consume(std::string_view data) override;
  // The next request: a POST of what waits, else a GET.
  void request();
  void on_payload(std::string_view payload);

  std::string outgoing_;
  bool posting_ = false;
};

}  // namespace payam::bench
