// The clients of a run: connects them all, a window of handshakes at a time, and joins each to its rooms.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "load/client.hpp"

namespace payam::bench {

class Crowd : public ClientHandler {
 public:
  Crowd(Loop& loop, const Options& options);
  virtual ~Crowd() = default;

  // True once every client has joined (or is connected, if `join` is false); false if it takes longer than the limit.
  bool gather(bool join);

  int joined() const { return joined_; }
  int lost() const { return lost_; }  // closed by the server at any time
  Client& operator[](int index) { return *clients_[static_cast<std::size_t>(index)]; }
  int size() const { return static_cast<int>(clients_.size()); }

  static std::string room_name(int room);
  // Members of `room` that read; who was lost is not in it.
  int room_size(int room) const { return room_sizes_[static_cast<std::size_t>(room)]; }

 protected:
  virtual void on_event(Client& client, std::string_view data) override;
  virtual void on_reply(Client& client, std::string_view packet);

  Loop& loop_;
  const Options& options_;

 private:
  void on_ready(Client& client) final;
  void on_ack(Client& client, std::string_view packet) final;
  void on_closed(Client& client) final;

  bool stalls(int index) const { return index >= options_.receivers - options_.stalled; }
  int room_of(int index, int membership) const;
  void start_some();
  void ask_to_join(Client& client);
  void arrived(Client& client);

  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<int> room_sizes_;
  std::vector<unsigned> joins_missing_;  // a bit for each membership not yet acknowledged
  bool join_ = true;
  int started_ = 0;
  int joined_ = 0;
  int lost_ = 0;
};

}  // namespace payam::bench
