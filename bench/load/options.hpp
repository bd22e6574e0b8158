// What one run of the load generator does. Read from the command line; every option has a default that works.
#pragma once

#include <sys/types.h>

#include <string>

namespace payam::bench {

enum class Scenario { fan_out, rate, echo, connect, idle, flood };

struct Options {
  Scenario scenario = Scenario::fan_out;
  int port = 8000;
  std::string path = "/socket.io/";
  pid_t server = 0;      // whose processor time and memory is read; with all its children
  int receivers = 1000;  // connections
  int publishers = 1;    // loops that publish, each its next message when it has received its last
  int rooms = 1;         // receivers are dealt to rooms round robin
  int memberships = 1;   // rooms each receiver is in
  double rate = 50'000;  // deliveries a second (Scenario::rate)
  double seconds = 3;    // measured
  double warm_up = 0.5;  // seconds before that
  double limit = 60;     // seconds for connecting, and for any standstill, before the run is given up
  int window = 128;      // handshakes under way at once
  int bytes = 100;       // of text in a message
  int stalled = 0;       // receivers that stop reading after they joined
  bool polling = false;  // the receivers' transport; publishers always use a websocket
  bool binary = false;   // messages carry an attachment in place of text
  bool deflate = false;  // offer permessage-deflate
  bool series = false;   // a sample a second in the result
};

// Prints what is wrong and ends the program if the arguments cannot be understood.
Options parse_options(int argc, char** argv);

const char* to_string(Scenario scenario);

}  // namespace payam::bench
