// Client side of RFC 6455, as far as a load needs it.
#pragma once

#include <string>
#include <string_view>

#include "load/client.hpp"

namespace payam::bench {

class WebsocketClient final : public Client {
 public:
  WebsocketClient(Loop& loop, ClientHandler& handler, const Options& options, int index)
      : Client(loop, handler, options, index) {}

  void send(std::string_view packet) override { send_frame(1, packet); }
  void send_binary(std::string_view bytes) override { send_frame(2, bytes); }

 private:
  void on_connected() override;
  std::size_t consume(std::string_view data) override;
  std::size_t consume_head(std::string_view data);
  // One frame at the start of `data`: its whole size, or 0 if it is not complete.
  std::size_t consume_frame(std::string_view data);
  void send_frame(int opcode, std::string_view payload);

  bool upgraded_ = false;
};

}  // namespace payam::bench
