// Each runs one scenario to its end and returns the result. Nothing is thrown; what went wrong is in the result's "error".
#pragma once

#include "load/options.hpp"
#include "load/report.hpp"

namespace payam::bench {

Report run_broadcast(const Options& options);  // fan-out, rate, flood
Report run_echo(const Options& options);       // every connection: an event, its acknowledgement, the next event
Report run_connect(const Options& options);    // handshakes up to the joined namespace
Report run_idle(const Options& options);       // memory, and processor time while nothing happens

}  // namespace payam::bench
