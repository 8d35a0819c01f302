// What becomes of items between the engine and a chain that is the test's own, on a clock moved by hand.
#include "beacon/network_engine/engine_gossip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "beacon/network/gossip_codec.h"
#include "common/clock/manual_clock.h"
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

SignedBlockPtr Block(uint64_t slot) {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message.block.slot = slot;
  block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(1)).value();
  return block;
}

SignedVotePtr Vote(uint64_t validator, uint64_t slot = 1) {
  auto vote = std::make_shared<SignedAttestation>();
  vote->message.validator_id = validator;
  vote->message.data.slot = slot;
  return vote;
}

class EngineGossipTest : public testing::Test {
 protected:
  struct Submitted {
    Origin origin;
    SignedBlockPtr block;
    std::vector<SignedVotePtr> votes;
    std::function<void(SubmitOutcome)> answer;  // the same for all of it
  };

  EngineGossipTest() {
    peers_.Reset(1);
    for (uint64_t handle = 1; handle <= 3; ++handle) {
      const NamedPeer peer{
          .handle = handle, .peer_id = std::to_string(handle), .agent = "", .address = "", .chain = {}};
      EXPECT_TRUE(peers_.Add(peer).ok());
    }
  }

  void Bring(uint64_t id, uint64_t handle, const SignedBlockPtr& block) {
    v1::GossipItems items;
    Add(items, id, handle).set_block(SerializeBlock(*block));
    ASSERT_TRUE(gossip_.OnItems(1, items).ok());
  }
  void Bring(uint64_t first_id, uint64_t handle, const std::vector<SignedVotePtr>& votes) {
    v1::GossipItems items;
    for (const SignedVotePtr& vote : votes) Add(items, first_id++, handle).set_vote(SerializeVote(*vote));
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
    Bring(7, 1, Block(1));
    Take().answer(outcome);
    EXPECT_THAT(verdicts_, ElementsAre(Pair(7, expected))) << outcome.status << " " << outcome.reason;
  }

  ManualClock clock_{1'700'000'000'000};
  CapturedLog log_;
  std::vector<uint64_t> ended_;  // handles
  EnginePeers peers_{RateLimits::For(4096, 4000), clock_, log_.logger(),
                     [this](const EnginePeer& peer, std::chrono::seconds, const std::string&) {
                       ended_.push_back(peer.named.handle);
                     }};
  std::vector<Submitted> submitted_;
  std::map<uint64_t, v1::Verdict::Outcome> verdicts_;  // by the engine's id
  EngineGossipLimits limits_{.votes = 8, .blocks = 2, .work_per_peer = 3, .work = 5};
  EngineGossip gossip_{
      {.block =
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
           }},
      [this](uint64_t stream, uint64_t id, v1::Verdict::Outcome outcome) {
        if (stream != 0) verdicts_[id] = outcome;
      },
      peers_,
      clock_,
      limits_};
};

TEST_F(EngineGossipTest, EachOutcomeHasItsVerdict) {
  ExpectVerdict(Outcome(SubmitOutcome::kAccepted), kAccept);
  ExpectVerdict(Outcome(SubmitOutcome::kAlreadyKnown), kIgnore);
  ExpectVerdict(Outcome(SubmitOutcome::kOverloaded, reason::kOverloaded), kIgnore);
  ExpectVerdict(Outcome(SubmitOutcome::kStorageFailed, reason::kStorageFailed), kIgnore);
  ExpectVerdict(Outcome(SubmitOutcome::kShuttingDown, reason::kShuttingDown), kIgnore);
  for (const absl::string_view why :
       {reason::kEquivocation, reason::kFutureSlot, reason::kStale, reason::kQueueFull, reason::kTooLarge}) {
    ExpectVerdict(Outcome(SubmitOutcome::kRefused, why), kIgnore);
  }
  EXPECT_EQ(peers_.offences(Offence::kInvalidItem), 0u);
  ExpectVerdict(Outcome(SubmitOutcome::kRefused, reason::kBadSignature), kReject);
  ExpectVerdict(Outcome(SubmitOutcome::kRefused, reason::kInvalidTransition), kReject);
  EXPECT_EQ(peers_.offences(Offence::kInvalidItem), 2u);
  EXPECT_THAT(ended_, IsEmpty());
  ExpectVerdict(Outcome(SubmitOutcome::kRefused, reason::kWrongProposer), kReject);
  EXPECT_THAT(ended_, ElementsAre(1)) << "the third one";
  EXPECT_EQ(gossip_.duplicates(), 1u);
  EXPECT_EQ(gossip_.undecided(), 0u);
}

TEST_F(EngineGossipTest, WhatWaitsIsAcceptedWhenTheChainAcceptsIt) {
  Bring(1, 1, Block(1));
  const Submitted block = Take();
  block.answer(Outcome(SubmitOutcome::kQueued, reason::kUnknownParent));
  Bring(2, 1, {Vote(0), Vote(1)});
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

TEST_F(EngineGossipTest, NoVerdictAfterItsTime) {
  Bring(1, 1, {Vote(0)});
  const Submitted queued = Take();
  queued.answer(Outcome(SubmitOutcome::kQueued, reason::kUnknownBlock));
  Bring(2, 1, {Vote(1)});
  clock_.Advance(std::chrono::seconds(4));
  gossip_.Tick(clock_.Steady());
  EXPECT_EQ(gossip_.undecided(), 1u) << "the chain still works on the second";
  Take().answer(Outcome(SubmitOutcome::kAccepted));
  gossip_.OnAccepted({.block = nullptr, .votes = queued.votes, .origin = queued.origin});
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_EQ(gossip_.undecided(), 0u);
}

// What sync brought, or a client, has no item.
TEST_F(EngineGossipTest, OthersAcceptedItemsHaveNoVerdict) {
  gossip_.OnAccepted({.block = Block(1), .votes = {}, .origin = Origin::Peer(1)});
  EXPECT_THAT(verdicts_, IsEmpty());
}

TEST_F(EngineGossipTest, BeyondTheBoundIsIgnoredUnread) {
  for (uint64_t id = 1; id <= 4; ++id) Bring(id, id % 2 + 1, Block(id));
  EXPECT_THAT(verdicts_, UnorderedElementsAre(Pair(3, kIgnore), Pair(4, kIgnore)));
  std::vector<SignedVotePtr> votes;
  for (uint64_t validator = 0; validator < 10; ++validator) votes.push_back(Vote(validator));
  verdicts_.clear();
  Bring(11, 3, votes);
  EXPECT_THAT(verdicts_, UnorderedElementsAre(Pair(19, kIgnore), Pair(20, kIgnore)));
  EXPECT_EQ(gossip_.undecided(), 10u);
  EXPECT_THAT(ended_, IsEmpty());
}

// No more signatures are checked at once than may be, for one peer and for all; nothing of what waits is lost.
TEST_F(EngineGossipTest, PeersTakeTurnsWithinTheWork) {
  Bring(1, 1, {Vote(0), Vote(1), Vote(2), Vote(3), Vote(4)});
  Bring(6, 2, {Vote(5), Vote(6)});
  ASSERT_EQ(submitted_.size(), 2u);
  EXPECT_EQ(submitted_[0].votes.size(), 3u) << "as many as one peer may have";
  EXPECT_EQ(submitted_[1].votes.size(), 2u);
  EXPECT_EQ(submitted_[1].origin, Origin::Peer(2));
  Bring(8, 3, Block(9));
  EXPECT_EQ(submitted_.size(), 2u) << "all have what they may";
  Take().answer(Outcome(SubmitOutcome::kAccepted));
  ASSERT_EQ(submitted_.size(), 3u);
  EXPECT_NE(submitted_[1].block, nullptr) << "the third peer's turn";
  EXPECT_EQ(submitted_[2].votes.size(), 2u) << "the first one's rest";
  while (!submitted_.empty()) Take().answer(Outcome(SubmitOutcome::kAccepted));
  EXPECT_EQ(verdicts_.size(), 8u);
  for (const auto& [id, verdict] : verdicts_) EXPECT_EQ(verdict, kAccept) << id;
}

TEST_F(EngineGossipTest, MalformedBytesEndTheirPeer) {
  v1::GossipItems items;
  Add(items, 1, 2).set_vote("short");
  Add(items, 2, 3);
  ASSERT_TRUE(gossip_.OnItems(1, items).ok());
  EXPECT_THAT(verdicts_, UnorderedElementsAre(Pair(1, kReject), Pair(2, kIgnore)));
  EXPECT_THAT(ended_, ElementsAre(2));
  Bring(3, 2, Block(1));
  EXPECT_EQ(verdicts_[3], kIgnore) << "it has to go";
  EXPECT_THAT(submitted_, IsEmpty());
}

TEST_F(EngineGossipTest, APeerThatHasGoneIsNoFaultAndOneThatNeverWasIs) {
  ASSERT_TRUE(peers_.Remove(2, "").ok());
  Bring(1, 2, Block(1));
  EXPECT_EQ(submitted_[0].origin, Origin::Peer(0));
  Take().answer(Outcome(SubmitOutcome::kAccepted));
  EXPECT_THAT(verdicts_, ElementsAre(Pair(1, kAccept)));
  v1::GossipItems items;
  Add(items, 2, 4).set_vote("");
  EXPECT_TRUE(absl::IsInvalidArgument(gossip_.OnItems(1, items)));
}

TEST_F(EngineGossipTest, VerdictsOfAnEarlierStreamAreVoid) {
  Bring(1, 1, Block(1));
  Bring(2, 1, {Vote(0)});
  const Submitted block = Take();
  Take().answer(Outcome(SubmitOutcome::kQueued, reason::kUnknownBlock));
  gossip_.Reset();
  block.answer(Outcome(SubmitOutcome::kAccepted));
  EXPECT_THAT(verdicts_, IsEmpty());
  EXPECT_EQ(gossip_.undecided(), 0u);
}

TEST_F(EngineGossipTest, TooMuchIsIgnoredAndHeldAgainstItsPeer) {
  uint64_t id = 1;
  for (; id <= 64; ++id) {
    Bring(id, 1, Block(id));
    Take().answer(Outcome(SubmitOutcome::kAccepted));
  }
  Bring(id, 1, Block(id));
  EXPECT_EQ(verdicts_[id], kIgnore);
  EXPECT_EQ(peers_.offences(Offence::kTooMuch), 1u);
}

}  // namespace
}  // namespace lean::beacon
