// What becomes of items between the engine and a chain that is the test's own, on a clock moved by hand.
#include "beacon/network/gossip/gossip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beacon/network/engine/contract.h"
#include "beacon/network/engine/item_codec.h"
#include "common/clock/manual_clock.h"
#include "tests/beacon/network/plain_items.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr auto kAccept = v1::Verdict::ACCEPT;
constexpr auto kIgnore = v1::Verdict::IGNORE;
constexpr auto kReject = v1::Verdict::REJECT;

SubmitOutcome Outcome(SubmitOutcome::Status status, absl::string_view reason = "") {
  return {.status = status, .reason = std::string(reason), .message = "", .root = {}};
}

class GossipTest : public testing::Test {
 protected:
  struct Submitted {
    Origin origin;
    SignedBlockPtr block;
    std::vector<SignedVotePtr> votes;
    std::function<void(SubmitOutcome)> answer;  // the same for all of it
  };

  GossipTest() {
    peers_.Reset(1);
    gossip_.Reset(1);
    for (uint64_t handle = 1; handle <= 3; ++handle) EXPECT_TRUE(peers_.OnConnected(PeerNamed(handle)).ok());
  }

  void Bring(uint64_t id, uint64_t handle, const SignedBlockPtr& block) {
    v1::GossipItems items;
    Add(items, id, handle).set_block(ssz::SerializeToString(*block));
    ASSERT_TRUE(gossip_.OnItems(1, items).ok());
  }
  void Bring(uint64_t first_id, uint64_t handle, const std::vector<SignedVotePtr>& votes) {
    v1::GossipItems items;
    for (const SignedVotePtr& vote : votes) Add(items, first_id++, handle).set_vote(ssz::SerializeToString(*vote));
    ASSERT_TRUE(gossip_.OnItems(1, items).ok());
  }
  static v1::GossipItem& Add(v1::GossipItems& items, uint64_t id, uint64_t handle) {
    v1::GossipItem& item = *items.add_items();
    item.set_id(id);
    item.set_peer(handle);
    return item;
  }

  // What was submitted first and has no answer yet.
  Submitted Take() {
    Submitted first = std::move(submitted_.front());
    submitted_.erase(submitted_.begin());
    return first;
  }
  // What an item that meets this outcome is told.
  void ExpectVerdict(const SubmitOutcome& outcome, v1::Verdict::Outcome expected) {
    verdicts_.clear();
    Bring(7, 1, PlainBlock(1));
    Take().answer(outcome);
    EXPECT_THAT(verdicts_, ElementsAre(Pair(7, expected))) << outcome.status << " " << outcome.reason;
  }

  ManualClock clock_{1'700'000'000'000};
  CapturedLog log_;
  // What the engine was told.
  std::vector<uint64_t> ended_;                        // handles
  std::map<uint64_t, v1::Verdict::Outcome> verdicts_;  // by the engine's id
  const SendToEngine send_ = [this](uint64_t stream, const v1::BeaconToEngine& message) {
    if (stream == 0) return;
    if (message.has_end_peer()) ended_.push_back(message.end_peer().peer());
    for (const v1::Verdict& verdict : message.verdicts().verdicts()) verdicts_[verdict.id()] = verdict.outcome();
  };
  Peers peers_{clock_, log_.logger(), send_, [](const ClaimedChain&) { return false; }};
  std::vector<Submitted> submitted_;
  GossipLimits limits_{
      .vote_bytes = 8 * sizeof(SignedAttestation), .block_bytes = 2 * BytesOf(*PlainBlock(1)), .work = 3};
  Gossip gossip_{Sink(), send_, peers_, clock_, limits_};

  GossipSink Sink() {
    return {.block =
                [this](SignedBlockPtr block, const Origin& origin, std::function<void(SubmitOutcome)> done) {
                  submitted_.push_back(
                      {.origin = origin, .block = std::move(block), .votes = {}, .answer = std::move(done)});
                },
            .votes =
                [this](std::vector<SignedVotePtr> votes, const Origin& origin,
                       const std::function<void(std::vector<SubmitOutcome>)>& done) {
                  const size_t count = votes.size();
                  submitted_.push_back(
                      {.origin = origin,
                       .block = nullptr,
                       .votes = std::move(votes),
                       .answer = [done, count](const SubmitOutcome& outcome) { done(std::vector(count, outcome)); }});
                }};
  }
};

TEST_F(GossipTest, EachOutcomeHasItsVerdict) {
  ExpectVerdict(Outcome(SubmitOutcome::kAccepted), kAccept);
  ExpectVerdict(Outcome(SubmitOutcome::kAlreadyKnown), kIgnore);
  ExpectVerdict(Outcome(SubmitOutcome::kOverloaded, reason::kOverloaded), kIgnore);
  ExpectVerdict(Outcome(SubmitOutcome::kStorageFailed, reason::kStorageFailed), kIgnore);
  ExpectVerdict(Outcome(SubmitOutcome::kShuttingDown, reason::kShuttingDown), kIgnore);
  for (const absl::string_view why :
       {reason::kEquivocation, reason::kFutureSlot, reason::kStale, reason::kQueueFull, reason::kTooLarge}) {
    ExpectVerdict(Outcome(SubmitOutcome::kRefused, why), kIgnore);
  }
  EXPECT_EQ(peers_.counts().Of(Offence::kInvalidItem), 0u);
  ExpectVerdict(Outcome(SubmitOutcome::kRefused, reason::kBadSignature), kReject);
  ExpectVerdict(Outcome(SubmitOutcome::kRefused, reason::kInvalidTransition), kReject);
  EXPECT_EQ(peers_.counts().Of(Offence::kInvalidItem), 2u);
  EXPECT_THAT(ended_, IsEmpty());
  ExpectVerdict(Outcome(SubmitOutcome::kRefused, reason::kWrongProposer), kReject);
  EXPECT_THAT(ended_, ElementsAre(1)) << "the third one";
  EXPECT_EQ(gossip_.counts().duplicates, 1u);
  EXPECT_EQ(gossip_.undecided(), 0u);
}

TEST_F(GossipTest, WhatWaitsIsAcceptedWhenTheChainAcceptsIt) {
  Bring(1, 1, PlainBlock(1));
  const Submitted block = Take();
  block.answer(Outcome(SubmitOutcome::kQueued, reason::kUnknownParent));
  Bring(2, 1, {PlainVote(0), PlainVote(1)});
  const Submitted votes = Take();
  votes.answer(Outcome(SubmitOutcome::kQueued, reason::kUnknownBlock));
  EXPECT_THAT(verdicts_, IsEmpty());
  clock_.Advance(std::chrono::milliseconds(3900));
  gossip_.Tick(clock_.Steady());
  gossip_.OnAccepted({.block = block.block, .votes = {}, .origin = block.origin});
  gossip_.OnAccepted({.block = nullptr, .votes = {votes.votes[1]}, .origin = votes.origin});
  EXPECT_THAT(verdicts_, UnorderedElementsAre(Pair(1, kAccept), Pair(3, kAccept)));
  EXPECT_EQ(gossip_.undecided(), 1u);
}

TEST_F(GossipTest, NoVerdictAfterItsTime) {
  Bring(1, 1, {PlainVote(0)});
  const Submitted queued = Take();
  queued.answer(Outcome(SubmitOutcome::kQueued, reason::kUnknownBlock));
  Bring(2, 1, {PlainVote(1)});
  clock_.Advance(std::chrono::seconds(4));
  gossip_.Tick(clock_.Steady());
  EXPECT_EQ(gossip_.undecided(), 1u) << "the chain still works on the second";
  Take().answer(Outcome(SubmitOutcome::kAccepted));
  gossip_.OnAccepted({.block = nullptr, .votes = queued.votes, .origin = queued.origin});
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_EQ(gossip_.undecided(), 0u);
}

// What sync brought, or a client, has no item.
TEST_F(GossipTest, OthersAcceptedItemsHaveNoVerdict) {
  gossip_.OnAccepted({.block = PlainBlock(1), .votes = {}, .origin = Origin::Peer(1)});
  EXPECT_THAT(verdicts_, IsEmpty());
}

TEST_F(GossipTest, BeyondTheBoundThePeerMakesRoomThatHasMostWaiting) {
  for (uint64_t id = 1; id <= 5; ++id) Bring(id, 1, PlainBlock(id));
  ASSERT_EQ(submitted_.size(), 2u) << "two more wait";
  EXPECT_THAT(verdicts_, ElementsAre(Pair(5, kIgnore)));
  Bring(6, 2, PlainBlock(6));
  EXPECT_THAT(verdicts_, ElementsAre(Pair(4, kIgnore), Pair(5, kIgnore)));
  std::vector<SignedVotePtr> votes;
  for (uint64_t validator = 0; validator < 8; ++validator) votes.push_back(PlainVote(validator));
  Bring(11, 3, votes);
  EXPECT_EQ(verdicts_.size(), 2u) << "blocks do not take the room of votes";
  Bring(21, 2, {PlainVote(8)});
  EXPECT_EQ(verdicts_.size(), 2u + 8) << "what a peer brought together goes together";
  EXPECT_EQ(verdicts_.count(21), 0u);
  EXPECT_EQ(gossip_.undecided(), 5u);
  const metrics::FootprintList queues = gossip_.queues();
  EXPECT_EQ(queues[0].items, 3u) << "not yet submitted";
  EXPECT_GT(queues[0].bytes, sizeof(SignedAttestation));
  EXPECT_EQ(queues[1].items, 5u) << "undecided";
  EXPECT_THAT(ended_, IsEmpty());
}

// Blocks first, and no more signatures at once than may be; nothing of what waits is lost.
TEST_F(GossipTest, PeersTakeTurnsWithinTheWork) {
  Bring(1, 1, {PlainVote(0), PlainVote(1), PlainVote(2)});
  Bring(4, 1, {PlainVote(3)});
  Bring(5, 1, {PlainVote(4)});
  Bring(6, 2, {PlainVote(5)});
  Bring(7, 3, PlainBlock(9));
  ASSERT_EQ(submitted_.size(), 1u) << "all the work that may be";
  EXPECT_EQ(submitted_[0].votes.size(), 3u);
  Take().answer(Outcome(SubmitOutcome::kAccepted));
  ASSERT_EQ(submitted_.size(), 2u);
  EXPECT_NE(submitted_[0].block, nullptr) << "a block goes first";
  EXPECT_EQ(submitted_[1].origin, Origin::Peer(1));
  Take().answer(Outcome(SubmitOutcome::kAccepted));
  ASSERT_EQ(submitted_.size(), 3u);
  EXPECT_EQ(submitted_[1].origin, Origin::Peer(2)) << "its turn";
  while (!submitted_.empty()) Take().answer(Outcome(SubmitOutcome::kAccepted));
  EXPECT_EQ(verdicts_.size(), 7u);
  for (const auto& [id, verdict] : verdicts_) EXPECT_EQ(verdict, kAccept) << id;
}

TEST_F(GossipTest, NoVoteOfALargeRegistryIsLostHoweverManyComeAtOnce) {
  constexpr uint64_t kValidators = 4096;
  Gossip gossip(Sink(), send_, peers_, clock_, GossipLimits::For(kValidators));
  gossip.Reset(1);
  v1::GossipItems items;
  for (uint64_t id = 1; id <= 2 * kValidators; ++id) {
    Add(items, id, id % 3 + 1).set_vote(ssz::SerializeToString(*PlainVote(id % kValidators, id / kValidators)));
  }
  ASSERT_TRUE(gossip.OnItems(1, items).ok());
  while (!submitted_.empty()) {
    EXPECT_LE(submitted_.size(), 3u) << "the work is bounded";
    Take().answer(Outcome(SubmitOutcome::kAccepted));
  }
  EXPECT_EQ(verdicts_.size(), 2 * kValidators);
  for (const auto& [id, verdict] : verdicts_) ASSERT_EQ(verdict, kAccept) << id;
  EXPECT_EQ(gossip.undecided(), 0u);
}

TEST_F(GossipTest, MalformedBytesEndTheirPeer) {
  v1::GossipItems items;
  Add(items, 1, 2).set_vote("short");
  Add(items, 2, 3);
  ASSERT_TRUE(gossip_.OnItems(1, items).ok());
  EXPECT_THAT(verdicts_, UnorderedElementsAre(Pair(1, kReject), Pair(2, kIgnore)));
  EXPECT_THAT(ended_, ElementsAre(2));
  Bring(3, 2, PlainBlock(1));
  EXPECT_EQ(verdicts_[3], kIgnore) << "it has to go";
  EXPECT_THAT(submitted_, IsEmpty());
}

TEST_F(GossipTest, APeerThatHasGoneIsNoFaultAndOneThatNeverWasIs) {
  v1::PeerDisconnected gone;
  gone.set_peer(2);
  ASSERT_TRUE(peers_.OnDisconnected(gone).ok());
  Bring(1, 2, PlainBlock(1));
  EXPECT_EQ(submitted_[0].origin, Origin::Peer(0));
  Take().answer(Outcome(SubmitOutcome::kAccepted));
  EXPECT_THAT(verdicts_, ElementsAre(Pair(1, kAccept)));
  v1::GossipItems items;
  Add(items, 2, 4).set_vote("");
  EXPECT_TRUE(absl::IsInvalidArgument(gossip_.OnItems(1, items)));
}

TEST_F(GossipTest, VerdictsOfAnEarlierStreamAreVoid) {
  Bring(1, 1, PlainBlock(1));
  Bring(2, 1, {PlainVote(0)});
  const Submitted block = Take();
  Take().answer(Outcome(SubmitOutcome::kQueued, reason::kUnknownBlock));
  gossip_.Reset(2);
  block.answer(Outcome(SubmitOutcome::kAccepted));
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_EQ(gossip_.undecided(), 0u);
}

}  // namespace
}  // namespace lean::beacon
