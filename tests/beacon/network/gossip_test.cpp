// Gossip between peers and a chain that are the test's own.
#include "beacon/network/gossip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "beacon/network/gossip_codec.h"
#include "common/clock/manual_clock.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class FakePeer : public GossipPeer {
 public:
  FakePeer(uint64_t id, const Clock& clock, const RateLimits& limits) : id_(id), rates_(limits, clock.Steady()) {}

  uint64_t id() const override { return id_; }
  PeerRates& rates() override { return rates_; }
  SeenItems& known() override { return known_; }
  void Report(Offence offence, std::string why) override {
    std::lock_guard lock(mutex_);
    offences.push_back(offence);
    reasons.push_back(std::move(why));
  }
  void ReportNoAnswer(SteadyTime) override { Report(Offence::kUnresponsive, ""); }
  void Send(const OutgoingItem& block) override {
    std::lock_guard lock(mutex_);
    if (known_.Insert(block.key)) ++blocks_sent;
  }
  void Send(const std::vector<OutgoingItem>& votes) override {
    std::lock_guard lock(mutex_);
    for (const OutgoingItem& vote : votes) votes_sent += known_.Insert(vote.key);
  }
  void BeginWork(size_t signatures) override { work += signatures; }
  void EndWork(size_t signatures) override { work -= signatures; }

  std::vector<Offence> offences;
  std::vector<std::string> reasons;
  size_t blocks_sent = 0;
  size_t votes_sent = 0;
  std::atomic<size_t> work = 0;

 private:
  const uint64_t id_;
  PeerRates rates_;
  SeenItems known_{1000};
  std::mutex mutex_;
};

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

std::string Batch(const std::vector<SignedVotePtr>& votes) {
  std::string batch;
  for (const SignedVotePtr& vote : votes) batch += SerializeVote(*vote);
  return Compress(batch);
}

class GossipTest : public testing::Test {
 protected:
  std::shared_ptr<FakePeer> Peer(uint64_t id, const RateLimits& limits = RateLimits::For(4, 4000)) {
    return std::make_shared<FakePeer>(id, clock_, limits);
  }

  // What the chain says to all that comes.
  SubmitOutcome outcome_{.status = SubmitOutcome::kAccepted, .reason = "", .message = "", .root = {}};
  std::atomic<size_t> blocks_submitted_ = 0;
  std::atomic<size_t> votes_submitted_ = 0;
  ManualClock clock_{1'700'000'000'000};
  Gossip gossip_{{.block =
                      [this](const SignedBlockPtr&, const Origin&, const std::function<void(SubmitOutcome)>& done) {
                        ++blocks_submitted_;
                        done(outcome_);
                      },
                  .votes =
                      [this](const std::vector<SignedVotePtr>& votes, const Origin&,
                             const std::function<void(std::vector<SubmitOutcome>)>& done) {
                        votes_submitted_ += votes.size();
                        done(std::vector(votes.size(), outcome_));
                      }},
                 clock_,
                 /*validator_count=*/4};
};

TEST_F(GossipTest, TheSameFromManyPeersIsCheckedOnce) {
  const std::string block = EncodeBlock(*Block(1));
  const std::string votes = Batch({Vote(0), Vote(1)});
  for (uint64_t id = 1; id <= 5; ++id) {
    const auto peer = Peer(id);
    gossip_.OnBlock(peer, block);
    EXPECT_EQ(gossip_.OnVotes(peer, votes), 2u);
    EXPECT_THAT(peer->offences, IsEmpty());
    EXPECT_EQ(peer->work, 0u);
  }
  EXPECT_EQ(blocks_submitted_, 1u);
  EXPECT_EQ(votes_submitted_, 2u);
  EXPECT_EQ(gossip_.counts().duplicates, 4u * 3);
}

TEST_F(GossipTest, OneSlotsVotesInOneBatchAreToldApart) {
  const auto peer = Peer(1);
  gossip_.OnVotes(peer, Batch({Vote(0), Vote(0), Vote(1)}));
  EXPECT_EQ(votes_submitted_, 2u);
}

TEST_F(GossipTest, WhatIsAcceptedGoesToAllButItsSenderOnce) {
  const auto a = Peer(1);
  const auto b = Peer(2);
  const auto c = Peer(3);
  gossip_.OnBlock(a, EncodeBlock(*Block(1)));
  gossip_.OnBlock(b, EncodeBlock(*Block(1)));  // has it, though it is not the origin
  for (int i = 0; i < 3; ++i) {
    gossip_.Forward({.block = Block(1), .votes = {}, .origin = Origin::Peer(1)}, {a, b, c});
    gossip_.Forward({.block = nullptr, .votes = {Vote(0), Vote(1)}, .origin = Origin::Local()}, {a, b, c});
  }
  EXPECT_EQ(a->blocks_sent, 0u);
  EXPECT_EQ(b->blocks_sent, 0u);
  EXPECT_EQ(c->blocks_sent, 1u);
  EXPECT_EQ(a->votes_sent, 2u);
  EXPECT_EQ(c->votes_sent, 2u);
  EXPECT_EQ(gossip_.counts().foreign_blocks, 1u);
  EXPECT_EQ(gossip_.counts().own_votes, 2u);
}

TEST_F(GossipTest, WhatWeSentOutIsNotCheckedWhenItComesBack) {
  gossip_.Forward({.block = Block(1), .votes = {}, .origin = Origin::Local()}, {});
  gossip_.Forward({.block = nullptr, .votes = {Vote(0)}, .origin = Origin::Local()}, {});
  gossip_.OnBlock(Peer(1), EncodeBlock(*Block(1)));
  gossip_.OnVotes(Peer(1), Batch({Vote(0)}));
  EXPECT_EQ(blocks_submitted_ + votes_submitted_, 0u);
}

TEST_F(GossipTest, InvalidItemsAreOffencesAndMissingBlocksAreNot) {
  const auto peer = Peer(1);
  for (const absl::string_view why : {reason::kBadSignature, reason::kWrongProposer, reason::kProposerVoteMismatch,
                                      reason::kUnknownValidator, reason::kInvalidTransition}) {
    outcome_ = {.status = SubmitOutcome::kRefused, .reason = std::string(why), .message = "", .root = {}};
    gossip_.OnBlock(peer, EncodeBlock(*Block(peer->offences.size())));
  }
  EXPECT_THAT(peer->offences, testing::Each(Offence::kInvalidItem));
  EXPECT_THAT(peer->offences, SizeIs(5));
  for (const absl::string_view why : {reason::kUnknownParent, reason::kUnknownBlock, reason::kEarly}) {
    outcome_ = {.status = SubmitOutcome::kQueued, .reason = std::string(why), .message = "", .root = {}};
    gossip_.OnBlock(peer, EncodeBlock(*Block(100 + blocks_submitted_)));
    gossip_.OnVotes(peer, Batch({Vote(blocks_submitted_)}));
  }
  for (const absl::string_view why : {reason::kStale, reason::kFutureSlot, reason::kQueueFull}) {
    outcome_ = {.status = SubmitOutcome::kRefused, .reason = std::string(why), .message = "", .root = {}};
    gossip_.OnBlock(peer, EncodeBlock(*Block(100 + blocks_submitted_)));
  }
  EXPECT_THAT(peer->offences, SizeIs(5));
}

TEST_F(GossipTest, WhoForwardsWhatADishonestValidatorSignedIsNotToBlame) {
  outcome_ = {
      .status = SubmitOutcome::kRefused, .reason = std::string(reason::kEquivocation), .message = "", .root = {}};
  for (uint64_t id = 1; id <= 2; ++id) {
    const auto peer = Peer(id);
    gossip_.OnBlock(peer, EncodeBlock(*Block(1)));
    gossip_.OnVotes(peer, Batch({Vote(0)}));
    EXPECT_THAT(peer->offences, IsEmpty());
  }
  EXPECT_EQ(blocks_submitted_ + votes_submitted_, 2u) << "a copy of it need not be looked at again";
}

TEST_F(GossipTest, WhatWasNotLookedAtMayComeAgain) {
  outcome_.status = SubmitOutcome::kOverloaded;
  gossip_.OnBlock(Peer(1), EncodeBlock(*Block(1)));
  gossip_.OnVotes(Peer(1), Batch({Vote(0)}));
  outcome_.status = SubmitOutcome::kAccepted;
  gossip_.OnBlock(Peer(2), EncodeBlock(*Block(1)));
  gossip_.OnVotes(Peer(2), Batch({Vote(0)}));
  EXPECT_EQ(blocks_submitted_, 2u);
  EXPECT_EQ(votes_submitted_, 2u);
}

TEST_F(GossipTest, MalformedPayloadsReachNoChainAndAreHeldAgainstEachSender) {
  for (uint64_t id = 1; id <= 2; ++id) {
    const auto peer = Peer(id);
    gossip_.OnBlock(peer, "no snappy");
    gossip_.OnBlock(peer, Compress("no block"));
    EXPECT_EQ(gossip_.OnVotes(peer, Compress("no votes")), 0u);
    gossip_.OnVotes(peer, Compress(std::string(kVoteBytes * (kMaxVotesInMessage + 1), 'x')));
    EXPECT_THAT(peer->offences,
                ElementsAre(Offence::kMalformed, Offence::kMalformed, Offence::kMalformed, Offence::kMalformed));
  }
  EXPECT_EQ(blocks_submitted_ + votes_submitted_, 0u);
}

TEST_F(GossipTest, TooMuchIsDroppedBeforeItCostsAnything) {
  RateLimits limits = RateLimits::For(4, 4000);
  limits.votes = {.burst = 2, .per_second = 1};
  limits.blocks = {.burst = 1, .per_second = 1};
  const auto peer = Peer(1, limits);
  EXPECT_EQ(gossip_.OnVotes(peer, Batch({Vote(0), Vote(1)})), 2u);
  EXPECT_EQ(gossip_.OnVotes(peer, Batch({Vote(2)})), 0u);
  gossip_.OnBlock(peer, EncodeBlock(*Block(1)));
  gossip_.OnBlock(peer, EncodeBlock(*Block(2)));
  EXPECT_THAT(peer->offences, ElementsAre(Offence::kTooMuch, Offence::kTooMuch));
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(gossip_.OnVotes(peer, Batch({Vote(2)})), 1u);
  // Others are not touched by it.
  EXPECT_EQ(gossip_.OnVotes(Peer(2, limits), Batch({Vote(3)})), 1u);
  EXPECT_EQ(votes_submitted_, 4u);
}

TEST_F(GossipTest, ManyPeersAtOnceCheckEachItemOnce) {
  std::vector<std::string> payloads;
  for (uint64_t i = 0; i < 50; ++i) payloads.push_back(Batch({Vote(i % 4, i), Vote((i + 1) % 4, i)}));
  std::vector<std::thread> threads;
  for (uint64_t id = 1; id <= 4; ++id) {
    threads.emplace_back([this, &payloads, id] {
      const auto peer = Peer(id);
      for (const std::string& payload : payloads) gossip_.OnVotes(peer, payload);
      EXPECT_EQ(peer->work, 0u);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(votes_submitted_, 100u);
}

}  // namespace
}  // namespace lean::beacon
