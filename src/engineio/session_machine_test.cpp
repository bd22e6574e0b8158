#include "engineio/session_machine.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <vector>

namespace payam::eio {
namespace {

using namespace std::chrono_literals;
using Admission = SessionMachine::Admission;
using PostStep = SessionMachine::PostStep;

const SteadyTime kStart{1000s};

PacketRef message(std::string_view text) { return EncodedPacket::text(PacketType::message, text); }

// A session in a world where time stands still until told; everything it does is written down.
class Bench final : public SessionSink {
 public:
  explicit Bench(SessionKind kind, std::size_t max_buffered = 1000) : machine(times, max_buffered, kind, kStart, *this) {}
  explicit Bench(Transport transport, std::size_t max_buffered = 1000)
      : Bench(SessionKind{.transport = transport}, max_buffered) {}

  void deliver(const Packet& packet) override {
    note((packet.binary ? "binary " : "got ") + std::string(packet.data));
    if (on_message) on_message(packet.data);
  }
  void closed(CloseReason reason) override { note("closed: " + std::string(to_string(reason))); }
  void answer_poll(Payload payload) override {
    note((payload.form == PayloadForm::octets ? "octets " : "poll ") + payload.body);
  }
  void flush_later() override { flush_wanted = true; }
  std::size_t unsent_bytes() const override { return unsent; }
  bool is_writable() const override { return writable; }
  void transmit(PacketRef packet, bool) override {
    unsent += packet->frame().size();
    note("ws " + std::string(packet->payload()));
  }
  void close_websocket(bool drain) override { note(drain ? "drain ws" : "close ws"); }
  void transmit_to_candidate(PacketRef packet) override { note("candidate " + std::string(packet->payload())); }
  void adopt_candidate() override { note("adopt"); }
  void drop_candidate() override { note("drop"); }

  SteadyTime now() const { return kStart + at; }
  // Lets time pass, with a timer that is exact.
  void wait(Millis time) {
    const Millis until = at + time;
    while (machine.deadline() <= kStart + until) {
      at = std::max(at, std::chrono::duration_cast<Millis>(machine.deadline() - kStart));
      machine.on_time(now());
    }
    at = until;
  }
  void end_turn() {
    if (std::exchange(flush_wanted, false)) machine.flush();
  }
  bool send(std::initializer_list<const char*> texts, SessionMachine::SendOptions options = {}) {
    std::vector<PacketRef> packets;
    for (const auto* text : texts) packets.push_back(message(text));
    return machine.send(packets, options);
  }
  Admission poll() {
    const auto admission = machine.start_poll(now());
    end_turn();
    return admission;
  }
  bool post(std::string_view body) {
    if (machine.start_post(PayloadForm::text) != Admission::accepted) return false;
    return read(body, PayloadForm::text);
  }
  // All slices of a post that has been let in.
  bool read(std::string_view body, PayloadForm form) {
    PostBody reader(body, form, machine.protocol());
    auto step = PostStep::more;
    while (step == PostStep::more) {
      step = machine.read_post(reader, now());
      end_turn();
    }
    return step == PostStep::done;
  }
  void receive(std::string_view text) {
    const auto packet = decode_packet(text);
    machine.on_packet(packet ? &*packet : nullptr, now());
    end_turn();
  }
  void candidate(std::string_view text) {
    const auto packet = decode_packet(text);
    machine.on_candidate_packet(packet ? &*packet : nullptr, now());
    end_turn();
  }
  void offer() {
    ASSERT_TRUE(machine.may_upgrade());
    machine.start_upgrade(now());
  }
  void probe() {
    offer();
    candidate("2probe");
  }
  // What has happened since last asked.
  std::vector<std::string> did() { return std::exchange(log, {}); }

  SessionTimes times{
      .ping_interval = 300ms, .ping_timeout = 200ms, .upgrade_timeout = 10'000ms, .poll_close_timeout = 30'000ms};
  Millis at{0};
  bool writable = true;
  bool flush_wanted = false;
  std::size_t unsent = 0;
  std::function<void(std::string_view)> on_message;
  std::vector<std::string> log;
  SessionMachine machine;

 private:
  void note(std::string what) { log.push_back(std::move(what)); }
};

using Log = std::vector<std::string>;

// Messages

TEST(Session, GivesOnePollAllThatTheTurnQueued) {
  Bench bench(Transport::polling);
  EXPECT_EQ(bench.poll(), Admission::accepted);
  EXPECT_EQ(bench.did(), Log{});
  bench.send({"a"});
  bench.send({"b", "c"});
  EXPECT_EQ(bench.did(), Log{});
  bench.end_turn();
  EXPECT_EQ(bench.did(), Log{"poll 4a\x1e"
                             "4b\x1e"
                             "4c"});
  bench.send({"d"});
  bench.end_turn();
  EXPECT_EQ(bench.did(), Log{});
  EXPECT_EQ(bench.poll(), Admission::accepted);
  EXPECT_EQ(bench.did(), Log{"poll 4d"});
}

TEST(Session, PassesOnAPostsMessagesInOrder) {
  Bench bench(Transport::polling);
  EXPECT_TRUE(
      bench.post("4test1\x1e"
                 "bAQIDBA==\x1e"
                 "4test3"));
  EXPECT_EQ(bench.did(), (Log{"got test1", "binary \1\2\3\4", "got test3"}));
}

TEST(Session, SendsThroughTheWebsocketAtOnce) {
  Bench bench(Transport::websocket);
  bench.send({"a", "b"});
  EXPECT_EQ(bench.did(), (Log{"ws 4a", "ws 4b"}));
  bench.receive("4hi");
  EXPECT_EQ(bench.did(), Log{"got hi"});
}

TEST(Session, DropsWhatIsDroppableUnlessTheTransportIsWritable) {
  Bench polling(Transport::polling);
  EXPECT_FALSE(polling.send({"a", "b"}, {.droppable = true}));
  polling.poll();
  EXPECT_TRUE(polling.send({"c", "d"}, {.droppable = true}));
  polling.end_turn();
  EXPECT_EQ(polling.did(), Log{"poll 4c\x1e"
                               "4d"});

  Bench websocket(Transport::websocket);
  websocket.writable = false;
  EXPECT_FALSE(websocket.send({"a"}, {.droppable = true}));
  EXPECT_TRUE(websocket.send({"b"}));
  websocket.writable = true;
  EXPECT_TRUE(websocket.send({"c"}, {.droppable = true}));
  EXPECT_EQ(websocket.did(), (Log{"ws 4b", "ws 4c"}));
}

TEST(Session, ClosesWhenMoreIsQueuedThanAllowed) {
  Bench bench(Transport::polling, 20);
  EXPECT_TRUE(bench.send({"1234567", "1234567"}));  // two frames of 10 bytes
  EXPECT_EQ(bench.machine.buffered_bytes(), 20u);
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll 41234567\x1e"
                             "41234567"});
  bench.send({"1234567", "1234567"});
  EXPECT_FALSE(bench.send({""}));
  EXPECT_EQ(bench.did(), Log{"closed: buffer overflow"});
  EXPECT_FALSE(bench.send({"more"}));
  EXPECT_EQ(bench.machine.buffered_bytes(), 0u);
}

TEST(Session, RefusesDroppablePacketsBeforeItOverflows) {
  Bench bench(Transport::websocket, 20);
  EXPECT_TRUE(bench.send({"1234567"}));
  EXPECT_FALSE(bench.send({"12345678"}, {.droppable = true}));
  EXPECT_TRUE(bench.machine.is_open());
  EXPECT_FALSE(bench.send({"12345678"}));
  EXPECT_EQ(bench.did(), (Log{"ws 41234567", "close ws", "closed: buffer overflow"}));
}

// Packets that are wrong

TEST(Session, ABadPacketEndsItAfterWhatCameBefore) {
  Bench polling(Transport::polling);
  polling.poll();
  EXPECT_FALSE(
      polling.post("4good\x1e"
                   "abc\x1e"
                   "4never"));
  EXPECT_EQ(polling.did(), (Log{"got good", "poll 1", "closed: parse error"}));

  Bench websocket(Transport::websocket);
  websocket.receive("abc");
  EXPECT_EQ(websocket.did(), (Log{"close ws", "closed: parse error"}));
}

TEST(Session, APingFromTheClientEndsIt) {
  Bench bench(Transport::websocket);
  bench.receive("2");
  EXPECT_EQ(bench.did(), (Log{"close ws", "closed: transport error"}));

  Bench polling(Transport::polling);
  EXPECT_TRUE(
      polling.post("2\x1e"
                   "4never"));
  EXPECT_EQ(polling.did(), Log{"closed: transport error"});
}

TEST(Session, PacketsWithoutMeaningHereAreIgnored) {
  Bench bench(Transport::websocket);
  for (const char* packet : {"0", "0{}", "5", "6", "6x"}) bench.receive(packet);
  EXPECT_EQ(bench.did(), Log{});
  EXPECT_TRUE(bench.machine.is_open());
}

TEST(Session, NothingIsDeliveredAfterTheApplicationClosed) {
  Bench bench(Transport::polling);
  bench.on_message = [&](std::string_view) { bench.machine.terminate(CloseReason::forced_close); };
  EXPECT_TRUE(
      bench.post("4a\x1e"
                 "4b"));
  EXPECT_EQ(bench.did(), (Log{"got a", "closed: forced close"}));
}

// Overlapping and aborted requests

TEST(Session, ASecondPollEndsIt) {
  Bench bench(Transport::polling);
  EXPECT_EQ(bench.poll(), Admission::accepted);
  EXPECT_EQ(bench.poll(), Admission::overlap);
  EXPECT_EQ(bench.did(), (Log{"poll 1", "closed: transport error"}));
  EXPECT_EQ(bench.poll(), Admission::refused);
}

TEST(Session, ASecondPostEndsIt) {
  Bench bench(Transport::polling);
  EXPECT_EQ(bench.machine.start_post(PayloadForm::text), Admission::accepted);
  EXPECT_EQ(bench.machine.start_post(PayloadForm::text), Admission::overlap);
  EXPECT_EQ(bench.did(), Log{"closed: transport error"});
  EXPECT_FALSE(bench.read("4late", PayloadForm::text));
  EXPECT_EQ(bench.did(), Log{});
}

std::string many(std::size_t count, const std::string& packet) {
  std::string body = packet;
  for (std::size_t i = 1; i < count; ++i) body += kRecordSeparator + packet;
  return body;
}

TEST(Session, ALargePostIsReadInSlices) {
  Bench bench(Transport::polling);
  ASSERT_EQ(bench.machine.start_post(PayloadForm::text), Admission::accepted);
  const std::string small = many(65, "4a");
  PostBody body(small, PayloadForm::text, Protocol::v4);
  EXPECT_EQ(bench.machine.read_post(body, bench.now()), PostStep::more);
  EXPECT_EQ(bench.did().size(), 64u);
  EXPECT_EQ(bench.machine.read_post(body, bench.now()), PostStep::done);
  EXPECT_EQ(bench.did().size(), 1u);
  // Few packets that are large count as many.
  ASSERT_EQ(bench.machine.start_post(PayloadForm::text), Admission::accepted);
  const std::string large = many(5, "4" + std::string(8'192, 'a'));
  PostBody second(large, PayloadForm::text, Protocol::v4);
  EXPECT_EQ(bench.machine.read_post(second, bench.now()), PostStep::more);
  EXPECT_EQ(bench.did().size(), 2u);
  EXPECT_EQ(bench.machine.read_post(second, bench.now()), PostStep::more);
  EXPECT_EQ(bench.machine.read_post(second, bench.now()), PostStep::done);
}

TEST(Session, APostBetweenItsSlicesIsStillTheOnlyOne) {
  Bench bench(Transport::polling);
  ASSERT_EQ(bench.machine.start_post(PayloadForm::text), Admission::accepted);
  const std::string text = many(100, "4a");
  PostBody body(text, PayloadForm::text, Protocol::v4);
  ASSERT_EQ(bench.machine.read_post(body, bench.now()), PostStep::more);
  bench.did();
  EXPECT_EQ(bench.machine.start_post(PayloadForm::text), Admission::overlap);
  EXPECT_EQ(bench.did(), Log{"closed: transport error"});
  EXPECT_EQ(bench.machine.read_post(body, bench.now()), PostStep::done) << "closed by another: no fault of this request";
  EXPECT_EQ(bench.did(), Log{});
}

TEST(Session, AnAbortedPollEndsIt) {
  Bench bench(Transport::polling);
  bench.poll();
  bench.machine.abort_poll();
  EXPECT_EQ(bench.did(), (Log{"poll 1", "closed: transport error"}));
}

TEST(Session, AnAnswerThatWasNotDeliveredEndsItToo) {
  Bench bench(Transport::polling);
  bench.send({"a"});
  bench.poll();
  bench.machine.abort_poll();
  EXPECT_EQ(bench.did(), (Log{"poll 4a", "closed: transport error"}));
}

TEST(Session, AnAbortedPostEndsIt) {
  Bench bench(Transport::polling);
  EXPECT_EQ(bench.machine.start_post(PayloadForm::text), Admission::accepted);
  bench.machine.abort_post();
  EXPECT_EQ(bench.did(), Log{"closed: transport error"});
}

TEST(Session, APostThatIsTooLargeIsForgotten) {
  Bench bench(Transport::polling);
  EXPECT_EQ(bench.machine.start_post(PayloadForm::text), Admission::accepted);
  bench.machine.refuse_post();
  EXPECT_TRUE(bench.post("4next"));
  EXPECT_EQ(bench.did(), Log{"got next"});
}

TEST(Session, APostOfOctetsEndsIt) {
  Bench bench(Transport::polling);
  EXPECT_EQ(bench.machine.start_post(PayloadForm::octets), Admission::refused);
  EXPECT_EQ(bench.did(), Log{"closed: transport error"});
}

// Heartbeats

TEST(Session, PingsAndClosesWithoutAPong) {
  Bench bench(Transport::websocket);
  bench.wait(299ms);
  EXPECT_EQ(bench.did(), Log{});
  bench.wait(1ms);
  EXPECT_EQ(bench.did(), Log{"ws 2"});
  bench.wait(199ms);
  EXPECT_EQ(bench.did(), Log{});
  bench.wait(1ms);
  EXPECT_EQ(bench.did(), (Log{"close ws", "closed: ping timeout"}));
  EXPECT_EQ(bench.machine.deadline(), SteadyTime::max());
}

TEST(Session, APongStartsTheNextInterval) {
  Bench bench(Transport::websocket);
  for (int i = 0; i < 3; ++i) {
    bench.wait(300ms);
    EXPECT_EQ(bench.did(), Log{"ws 2"});
    bench.wait(150ms);
    bench.receive("3");
  }
  bench.wait(299ms);
  EXPECT_EQ(bench.did(), Log{});
}

TEST(Session, OnlyAPongCountsAsOne) {
  Bench bench(Transport::websocket);
  bench.wait(300ms);
  bench.wait(100ms);
  bench.receive("4i am alive");
  bench.receive("6");
  bench.wait(100ms);
  EXPECT_EQ(bench.did(), (Log{"ws 2", "got i am alive", "close ws", "closed: ping timeout"}));
}

TEST(Session, APingWaitsForThePoll) {
  Bench bench(Transport::polling);
  bench.wait(300ms);
  EXPECT_EQ(bench.poll(), Admission::accepted);
  EXPECT_EQ(bench.did(), Log{"poll 2"});
  EXPECT_TRUE(bench.post("3"));
  bench.poll();
  bench.wait(300ms);
  bench.end_turn();
  EXPECT_EQ(bench.did(), Log{"poll 2"});
}

TEST(Session, APendingPollIsToldOfTheTimeout) {
  Bench bench(Transport::polling);
  bench.wait(300ms);
  bench.poll();
  bench.poll();
  bench.wait(200ms);
  EXPECT_EQ(bench.did(), (Log{"poll 2", "poll 1", "closed: ping timeout"}));
}

TEST(Session, APollThatComesTooLateFindsItClosedThoughTheTimerIsLater) {
  Bench bench(Transport::polling);
  bench.wait(300ms);
  bench.at = 500ms;  // the timer has not run
  EXPECT_EQ(bench.poll(), Admission::refused);
  EXPECT_EQ(bench.did(), Log{"closed: ping timeout"});
}

TEST(Session, ALateTimerDoesNotLengthenTheTimeout) {
  Bench bench(Transport::websocket);
  bench.at = 308ms;
  bench.machine.on_time(bench.now());
  EXPECT_EQ(bench.machine.deadline(), kStart + 500ms);
}

TEST(Session, AStalledLoopDoesNotEatThePongsTime) {
  Bench bench(Transport::websocket);
  bench.at = 5'000ms;
  bench.machine.on_time(bench.now());
  EXPECT_EQ(bench.did(), Log{"ws 2"});
  EXPECT_GE(bench.machine.deadline(), kStart + 5'180ms);
}

// Version 3

SessionKind version_3(Transport transport) { return {.transport = transport, .protocol = Protocol::v3}; }

TEST(SessionV3, TheClientPings) {
  Bench bench(version_3(Transport::websocket));
  bench.wait(499ms);
  bench.receive("2");
  EXPECT_EQ(bench.did(), Log{"ws 3"});
  bench.wait(499ms);
  EXPECT_EQ(bench.did(), Log{});
  bench.wait(1ms);
  EXPECT_EQ(bench.did(), (Log{"close ws", "closed: ping timeout"}));
}

TEST(SessionV3, APongFromTheClientEndsIt) {
  Bench bench(version_3(Transport::websocket));
  bench.receive("3");
  EXPECT_EQ(bench.did(), (Log{"close ws", "closed: transport error"}));
}

TEST(SessionV3, PayloadsHaveLengths) {
  Bench bench(version_3(Transport::polling));
  EXPECT_TRUE(bench.post("6:4hello2:4€1:2"));
  EXPECT_EQ(bench.did(), (Log{"got hello", "got €"}));
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll 1:3"});
  bench.poll();
  EXPECT_TRUE(bench.post("1:1"));
  EXPECT_EQ(bench.did(), (Log{"poll 1:6", "closed: transport close"}));
}

TEST(SessionV3, OctetsGoBothWays) {
  Bench bench(version_3(Transport::polling));
  EXPECT_EQ(bench.machine.start_post(PayloadForm::octets), Admission::accepted);
  EXPECT_TRUE(bench.read("\x01\x03\xff\x04\x01\x02", PayloadForm::octets));
  EXPECT_EQ(bench.did(), Log{"binary \1\2"});
  const PacketRef binary = EncodedPacket::binary("\1\2");
  bench.machine.send(std::span(&binary, 1), {});
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"octets \x01\x03\xff\x04\x01\x02"});
}

TEST(SessionV3, UpgradesLikeVersionFour) {
  Bench bench(version_3(Transport::polling));
  bench.poll();
  bench.probe();
  bench.send({"a"});
  bench.candidate("5");
  EXPECT_EQ(bench.did(), (Log{"candidate 3probe", "poll 1:6", "adopt", "ws 4a"}));
}

// Closing

TEST(Session, APendingPollTakesWhatTheTurnHadQueued) {
  Bench wrong(Transport::polling);
  wrong.on_message = [&](std::string_view) { wrong.send({"echo"}); };
  wrong.poll();
  EXPECT_FALSE(
      wrong.post("4a\x1e"
                 "abc"));
  EXPECT_EQ(wrong.did(), (Log{"got a", "poll 4echo", "closed: parse error"}));

  Bench closing(Transport::polling);
  closing.on_message = [&](std::string_view) { closing.send({"echo"}); };
  closing.poll();
  EXPECT_TRUE(
      closing.post("4a\x1e"
                   "1"));
  EXPECT_EQ(closing.did(), (Log{"got a", "poll 4echo", "closed: transport close"}));
}

TEST(Session, TheClientClosesByPost) {
  Bench bench(Transport::polling);
  bench.poll();
  EXPECT_TRUE(bench.post("1"));
  EXPECT_EQ(bench.did(), (Log{"poll 6", "closed: transport close"}));
  EXPECT_EQ(bench.poll(), Admission::refused);
}

TEST(Session, TheClientClosesByWebsocketPacketOrConnection) {
  Bench packet(Transport::websocket);
  packet.receive("1");
  EXPECT_EQ(packet.did(), (Log{"close ws", "closed: transport close"}));

  Bench connection(Transport::websocket);
  connection.machine.on_websocket_end(CloseReason::transport_close);
  EXPECT_EQ(connection.did(), (Log{"close ws", "closed: transport close"}));
}

TEST(Session, TheServerClosesAPendingPollAfterWhatIsQueued) {
  Bench bench(Transport::polling);
  bench.poll();
  bench.send({"a", "b"});
  bench.machine.close(bench.now());
  EXPECT_EQ(bench.did(), (Log{"poll 4a\x1e"
                              "4b"}));
  bench.poll();
  EXPECT_EQ(bench.did(), (Log{"poll 1", "closed: forced close"}));
}

TEST(Session, TheServersCloseWaitsForThePollThatTakesIt) {
  Bench bench(Transport::polling);
  bench.send({"a"});
  bench.machine.close(bench.now());
  EXPECT_FALSE(bench.machine.is_open());
  EXPECT_FALSE(bench.send({"late"}));
  EXPECT_TRUE(bench.post("4ignored"));
  EXPECT_EQ(bench.did(), Log{});
  bench.wait(1'000ms);  // no heartbeat ends it meanwhile
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll 4a"});
  bench.poll();
  EXPECT_EQ(bench.did(), (Log{"poll 1", "closed: forced close"}));
}

TEST(Session, NoPayloadHoldsMorePacketsThanClientsTake) {
  Bench bench(Transport::polling);
  for (int i = 0; i < 20; ++i) bench.send({"x"});
  bench.machine.close(bench.now());
  std::string sixteen = "4x";
  for (int i = 1; i < 16; ++i)
    sixteen +=
        "\x1e"
        "4x";
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll " + sixteen});
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll 4x\x1e"
                             "4x\x1e"
                             "4x\x1e"
                             "4x"});
  bench.poll();
  EXPECT_EQ(bench.did(), (Log{"poll 1", "closed: forced close"}));
}

TEST(Session, TheServersCloseDoesNotWaitForEver) {
  Bench bench(Transport::polling);
  bench.machine.close(bench.now());
  bench.wait(29'999ms);
  EXPECT_EQ(bench.did(), Log{});
  bench.wait(1ms);
  EXPECT_EQ(bench.did(), Log{"closed: forced close"});
}

TEST(Session, TheServerClosesAWebsocketAfterWhatIsQueued) {
  Bench bench(Transport::websocket);
  bench.send({"a"});
  bench.machine.close(bench.now());
  EXPECT_EQ(bench.did(), (Log{"ws 4a", "drain ws", "closed: forced close"}));
}

TEST(Session, ClosesOnce) {
  Bench bench(Transport::websocket);
  bench.machine.terminate(CloseReason::server_shutdown);
  bench.machine.terminate(CloseReason::forced_close);
  bench.machine.close(bench.now());
  bench.machine.on_websocket_end(CloseReason::transport_close);
  bench.receive("4late");
  bench.wait(60s);
  EXPECT_EQ(bench.did(), (Log{"close ws", "closed: server shutting down"}));
}

// The upgrade

TEST(Session, UpgradesAndLosesNothing) {
  Bench bench(Transport::polling);
  bench.poll();
  bench.probe();
  EXPECT_EQ(bench.did(), (Log{"candidate 3probe", "poll 6"}));
  bench.send({"a"});
  bench.send({"b"});
  bench.end_turn();
  EXPECT_EQ(bench.did(), Log{});
  bench.candidate("5");
  EXPECT_EQ(bench.did(), (Log{"adopt", "ws 4a", "ws 4b"}));
  EXPECT_EQ(bench.machine.transport(), Transport::websocket);
  bench.send({"c"});
  bench.receive("4d");
  EXPECT_EQ(bench.did(), (Log{"ws 4c", "got d"}));
}

TEST(Session, EveryPollDuringTheUpgradeIsAnsweredAtOnce) {
  Bench bench(Transport::polling);
  bench.probe();
  EXPECT_EQ(bench.did(), Log{"candidate 3probe"});
  bench.poll();
  bench.poll();
  EXPECT_EQ(bench.did(), (Log{"poll 6", "poll 6"}));
  bench.send({"a"});
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll 4a"});
  bench.candidate("5");
  EXPECT_EQ(bench.did(), Log{"adopt"});
}

TEST(Session, QueuedPacketsGoWithTheProbesPollAndOnlyThere) {
  Bench bench(Transport::polling);
  bench.poll();
  bench.send({"a"});  // the turn has not ended when the probe comes
  bench.probe();
  EXPECT_EQ(bench.did(), (Log{"candidate 3probe", "poll 4a"}));
  bench.candidate("5");
  EXPECT_EQ(bench.did(), Log{"adopt"});
}

TEST(Session, BeforeTheProbePollingIsAsEver) {
  Bench bench(Transport::polling);
  bench.offer();
  bench.poll();
  EXPECT_EQ(bench.did(), Log{});
  bench.send({"a"});
  bench.end_turn();
  EXPECT_TRUE(bench.post("4b"));
  EXPECT_EQ(bench.did(), (Log{"poll 4a", "got b"}));
  bench.wait(300ms);
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll 2"});
}

TEST(Session, AfterTheUpgradePollingIsRefused) {
  Bench bench(Transport::polling);
  bench.machine.start_post(PayloadForm::text);
  bench.probe();
  bench.candidate("5");
  bench.did();
  EXPECT_FALSE(bench.read("4late", PayloadForm::text));
  EXPECT_EQ(bench.poll(), Admission::refused);
  EXPECT_EQ(bench.machine.start_post(PayloadForm::text), Admission::refused);
  bench.machine.abort_poll();
  bench.machine.abort_post();
  EXPECT_EQ(bench.did(), Log{});
  EXPECT_TRUE(bench.machine.is_open());
}

TEST(Session, OnlyOneWebsocketMayAsk) {
  Bench bench(Transport::polling);
  bench.offer();
  EXPECT_FALSE(bench.machine.may_upgrade());
  bench.candidate("2probe");
  EXPECT_FALSE(bench.machine.may_upgrade());
  bench.candidate("5");
  EXPECT_FALSE(bench.machine.may_upgrade());

  Bench websocket(Transport::websocket);
  EXPECT_FALSE(websocket.machine.may_upgrade());
}

TEST(Session, AWrongPacketClosesTheCandidateAndPollingGoesOn) {
  for (const char* wrong : {"5", "2", "2prob", "3probe", "4hello", "1", "abc", ""}) {
    Bench bench(Transport::polling);
    bench.poll();
    bench.offer();
    bench.candidate(wrong);
    EXPECT_EQ(bench.did(), Log{"drop"}) << wrong;
    bench.send({"a"});
    bench.end_turn();
    EXPECT_EQ(bench.did(), Log{"poll 4a"}) << wrong;
    EXPECT_TRUE(bench.machine.may_upgrade()) << "it may try again";
  }
}

TEST(Session, ProbesWithoutEndCloseTheCandidate) {
  Bench bench(Transport::polling);
  bench.probe();
  EXPECT_EQ(bench.did(), Log{"candidate 3probe"});
  for (int probe = 2; probe <= 10; ++probe) {
    bench.candidate("2probe");
    EXPECT_EQ(bench.did(), Log{"candidate 3probe"}) << probe;
  }
  bench.candidate("2probe");
  EXPECT_EQ(bench.did(), Log{"drop"});
  EXPECT_TRUE(bench.machine.may_upgrade());
}

TEST(Session, AWrongPacketAfterTheProbeClosesTheCandidateToo) {
  Bench bench(Transport::polling);
  bench.probe();
  bench.candidate("4early");
  EXPECT_EQ(bench.did(), (Log{"candidate 3probe", "drop"}));
  bench.poll();
  EXPECT_EQ(bench.did(), Log{}) << "polls wait again";
}

TEST(Session, ALostCandidateLeavesPollingAsItWas) {
  Bench bench(Transport::polling);
  bench.probe();
  bench.machine.on_candidate_end(bench.now());
  EXPECT_EQ(bench.did(), (Log{"candidate 3probe", "drop"}));
  bench.poll();
  bench.send({"a"});
  bench.end_turn();
  EXPECT_EQ(bench.did(), Log{"poll 4a"});
}

TEST(Session, TheUpgradeHasTenSeconds) {
  Bench bench(Transport::polling);
  bench.times.ping_interval = 60s;
  ASSERT_TRUE(bench.post("3"));  // a fresh interval of that length
  bench.probe();
  bench.wait(9'999ms);
  EXPECT_EQ(bench.did(), Log{"candidate 3probe"});
  bench.wait(1ms);
  EXPECT_EQ(bench.did(), Log{"drop"});
  EXPECT_TRUE(bench.machine.is_open());
}

TEST(Session, HeartbeatsPauseDuringTheUpgradeAndGoOnAfterIt) {
  Bench bench(Transport::polling);
  bench.wait(290ms);
  bench.probe();
  bench.did();
  bench.wait(5'000ms);
  EXPECT_EQ(bench.did(), Log{});
  bench.candidate("5");
  bench.wait(1ms);
  EXPECT_EQ(bench.did(), (Log{"adopt", "ws 2"}));
}

TEST(Session, APongMayComeLateWhenTheUpgradeStoodInBetween) {
  Bench bench(Transport::polling);
  bench.wait(300ms);
  bench.poll();
  EXPECT_EQ(bench.did(), Log{"poll 2"});
  bench.wait(100ms);
  bench.probe();
  bench.wait(3'000ms);
  bench.candidate("5");
  bench.did();
  bench.wait(199ms);
  bench.receive("3");
  bench.wait(299ms);
  EXPECT_EQ(bench.did(), Log{});
}

TEST(Session, ClosingItselfClosesTheCandidate) {
  Bench bench(Transport::polling);
  bench.probe();
  bench.machine.terminate(CloseReason::forced_close);
  EXPECT_EQ(bench.did(), (Log{"candidate 3probe", "drop", "closed: forced close"}));
}

TEST(Session, ACloseDuringTheUpgradeGoesThroughTheNewTransport) {
  Bench bench(Transport::polling);
  bench.probe();
  bench.send({"a"});
  bench.machine.close(bench.now());
  EXPECT_EQ(bench.did(), Log{"candidate 3probe"});
  bench.candidate("5");
  EXPECT_EQ(bench.did(), (Log{"adopt", "ws 4a", "drain ws", "closed: forced close"}));
}

}  // namespace
}  // namespace payam::eio
