// BeaconService.StreamEvents over gRPC.
#include "beacon/rpc/event_streams.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/wire/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;

BlockImported BlockOfSlot(uint64_t slot) {
  BlockImported event;
  event.id.slot = slot;
  return event;
}

// An open stream. Begin has returned when the beacon has begun it.
class OpenStream {
 public:
  OpenStream(QueryStub& stub, const v1::StreamEventsRequest& request) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    reader_ = stub.StreamEvents(&context_, request);
    reader_->WaitForInitialMetadata();
  }
  ~OpenStream() {
    context_.TryCancel();
    Finish().IgnoreError();
  }

  // The next events, at least `count` of them; fewer: the stream has ended.
  std::vector<v1::Event> Read(size_t count) {
    std::vector<v1::Event> events;
    v1::StreamEventsResponse response;
    while (events.size() < count && reader_->Read(&response)) {
      lost_ += response.lost();
      restarted_ |= response.restarted();
      EXPECT_LE(response.events_size(), static_cast<int>(EventStreams::kMostEvents));
      events.insert(events.end(), response.events().begin(), response.events().end());
    }
    return events;
  }
  absl::Status Finish() {
    if (finished_) return absl::OkStatus();
    finished_ = true;
    return rpc::FromGrpcStatus(reader_->Finish());
  }
  std::string ReasonOfEnd() {
    EXPECT_TRUE(Read(1).empty());
    return rpc::ReasonOf(Finish());
  }

  uint64_t lost() const { return lost_; }
  bool restarted() const { return restarted_; }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamEventsResponse>> reader_;
  uint64_t lost_ = 0;
  bool restarted_ = false;
  bool finished_ = false;
};

v1::StreamEventsRequest Asked(const std::vector<v1::Event::Kind>& kinds, const std::string& after = "") {
  v1::StreamEventsRequest request;
  for (const v1::Event::Kind kind : kinds) request.add_kinds(kind);
  request.set_after(after);
  return request;
}

class StreamEventsTest : public testing::Test {
 protected:
  TestBeacon beacon_;
};

TEST_F(StreamEventsTest, BlocksHeadsAndVotesAreTold) {
  OpenStream stream(beacon_.queries(), Asked({}));
  beacon_.GoTo(1);
  const std::string root = ToHex(beacon_.Propose(1).span());
  const std::vector<v1::Event> events = stream.Read(2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].block().block().root(), root);
  EXPECT_EQ(events[0].block().block().slot(), 1U);
  EXPECT_EQ(events[0].block().parent_root(), ToHex(beacon_.genesis().block_root.span()));
  EXPECT_EQ(events[0].block().proposer_index(), 1U);
  EXPECT_EQ(events[1].head().block().root(), root);
  EXPECT_EQ(events[1].head().state_root(), events[0].block().state_root());
  beacon_.GoTo(1, 1);
  v1::SubmitVotesRequest votes;
  for (const uint64_t validator : {0, 2, 3}) *votes.add_votes() = beacon_.Vote(1, validator);
  ASSERT_TRUE(Call(beacon_.duties(), &DutyStub::SubmitVotes, votes).status.ok());
  std::vector<uint64_t> voters;
  for (const v1::Event& event : stream.Read(3)) {
    voters.push_back(event.vote().validator_index());
    EXPECT_EQ(event.vote().head().root(), root);
  }
  EXPECT_THAT(voters, ElementsAre(0, 2, 3));
}

TEST_F(StreamEventsTest, OtherKindsAreToldAsTheyAreAdded) {
  OpenStream stream(beacon_.queries(), Asked({v1::Event::REORG, v1::Event::PEER, v1::Event::SYNC,
                                              v1::Event::GOSSIP_BLOCK, v1::Event::JUSTIFIED, v1::Event::FINALIZED,
                                              v1::Event::SAFE_TARGET, v1::Event::BLOCK_VOTES}));
  const EventBlock old_head{.id = {.root = Root(), .slot = 3}, .state_root = Root()};
  const EventBlock new_head{.id = {.root = Root(), .slot = 4}, .state_root = Root()};
  beacon_.events().Add(Reorganized{.old_head = old_head, .new_head = new_head, .depth = 2});
  beacon_.events().Add(PeerChanged{.connected = true,
                                   .id = 9,
                                   .peer_id = "16U",
                                   .agent = "ream",
                                   .address = "/ip4",
                                   .outbound = true,
                                   .reason = ""});
  beacon_.events().Add(SyncChanged{.synced = false, .lag_slots = 5, .target_slot = 8, .message = "5 slots behind"});
  beacon_.events().Add(GossipBlockSeen{.id = {.root = Root(), .slot = 5}, .peer = 9});
  beacon_.events().Add(BlockOfSlot(5));  // not asked for
  beacon_.events().Add(JustifiedMoved{.justified = old_head});
  beacon_.events().Add(FinalizedMoved{.finalized = old_head});
  beacon_.events().Add(SafeTargetMoved{.safe_target = new_head});
  beacon_.events().Add(
      BlockVotesTold{.block = new_head.id, .votes = {{.slot = 3, .head = old_head.id, .validators = {0, 1, 4}}}});
  const std::vector<v1::Event> events = stream.Read(8);
  ASSERT_EQ(events.size(), 8U);
  EXPECT_EQ(events[0].reorg().depth(), 2U);
  EXPECT_EQ(events[0].reorg().old_head().block().slot(), 3U);
  EXPECT_EQ(events[0].reorg().new_head().block().slot(), 4U);
  EXPECT_TRUE(events[1].peer().connected());
  EXPECT_EQ(events[1].peer().agent(), "ream");
  EXPECT_EQ(events[2].sync().lag_slots(), 5U);
  EXPECT_EQ(events[2].sync().message(), "5 slots behind");
  EXPECT_EQ(events[3].gossip_block().block().slot(), 5U);
  EXPECT_EQ(events[3].gossip_block().peer(), 9U);
  EXPECT_EQ(events[4].justified().block().slot(), 3U);
  EXPECT_EQ(events[5].finalized().block().slot(), 3U);
  EXPECT_EQ(events[6].safe_target().block().slot(), 4U);
  EXPECT_EQ(events[7].block_votes().block().slot(), 4U);
  ASSERT_EQ(events[7].block_votes().votes_size(), 1);
  EXPECT_EQ(events[7].block_votes().votes(0).head().slot(), 3U);
  EXPECT_EQ(events[7].block_votes().votes(0).validators(), "0-1,4");
}

TEST_F(StreamEventsTest, AStreamContinuesAfterACursor) {
  for (uint64_t slot = 1; slot <= 4; ++slot) beacon_.events().Add(BlockOfSlot(slot));
  OpenStream first(beacon_.queries(), Asked({}, EventCursor{beacon_.events().run(), 1}.ToString()));
  const std::vector<v1::Event> events = first.Read(1);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events[0].block().block().slot(), 2U);
  OpenStream second(beacon_.queries(), Asked({}, events[0].cursor()));
  EXPECT_EQ(second.Read(1)[0].block().block().slot(), 3U);
  EXPECT_FALSE(second.restarted());
  OpenStream other_run(beacon_.queries(), Asked({}, "123456-1"));
  EXPECT_EQ(other_run.Read(1)[0].block().block().slot(), 1U);
  EXPECT_TRUE(other_run.restarted());
}

TEST_F(StreamEventsTest, ABadRequestIsRefused) {
  EXPECT_EQ(OpenStream(beacon_.queries(), Asked({v1::Event::KIND_UNSPECIFIED})).ReasonOfEnd(), "MALFORMED_REQUEST");
  EXPECT_EQ(OpenStream(beacon_.queries(), Asked({static_cast<v1::Event::Kind>(v1::Event::Kind_MAX + 1)})).ReasonOfEnd(),
            "MALFORMED_REQUEST");
  EXPECT_EQ(OpenStream(beacon_.queries(), Asked({}, "yesterday")).ReasonOfEnd(), "MALFORMED_REQUEST");
  EXPECT_EQ(OpenStream(beacon_.queries(), Asked({}, std::string(2000, '1'))).ReasonOfEnd(), "MALFORMED_REQUEST");
}

TEST_F(StreamEventsTest, ACallerHasABoundedNumberOfStreams) {
  std::vector<std::unique_ptr<OpenStream>> streams;
  for (size_t i = 0; i < EventStreams::kMostOfCaller; ++i) {
    streams.push_back(std::make_unique<OpenStream>(beacon_.queries(), Asked({})));
  }
  EXPECT_EQ(OpenStream(beacon_.queries(), Asked({})).ReasonOfEnd(), "OVERLOADED");
  streams.pop_back();
  // Its place is free as soon as the beacon has noticed.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  bool open = false;
  while (!open && std::chrono::steady_clock::now() < until) {
    OpenStream again(beacon_.queries(), Asked({v1::Event::BLOCK}));
    beacon_.events().Add(BlockOfSlot(1));
    open = !again.Read(1).empty();
  }
  EXPECT_TRUE(open);
}

// A caller that does not read: its stream costs one message, its events are dropped, and it is told how many.
TEST_F(StreamEventsTest, ASlowCallerIsToldWhatItHasLost) {
  OpenStream stream(beacon_.queries(), Asked({v1::Event::VOTE}));
  VotesAccepted votes;
  votes.votes.resize(4096);
  constexpr uint64_t kBatches = 100;  // several times the history
  for (uint64_t batch = 0; batch < kBatches; ++batch) beacon_.events().Add(votes);
  uint64_t read = 0;
  while (read + stream.lost() < kBatches * 4096) {
    const size_t more = stream.Read(1).size();
    ASSERT_GT(more, 0U);
    read += more;
  }
  EXPECT_GT(stream.lost(), 0U);
  EXPECT_EQ(read + stream.lost(), kBatches * 4096);
}

TEST_F(StreamEventsTest, AStreamEndsWithTheBeacon) {
  OpenStream stream(beacon_.queries(), Asked({}));
  beacon_.rpc().Stop();
  EXPECT_EQ(stream.ReasonOfEnd(), "SHUTTING_DOWN");
}

TEST_F(StreamEventsTest, ManyStreamsOpenAndCloseWhileEventsAreAdded) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this] {
      for (int round = 0; round < 25; ++round) {
        OpenStream stream(beacon_.queries(), Asked({v1::Event::BLOCK}));
        beacon_.events().Add(BlockOfSlot(1));
        EXPECT_FALSE(stream.Read(1).empty());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace lean::beacon
