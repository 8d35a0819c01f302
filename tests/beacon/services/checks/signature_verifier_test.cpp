#include "beacon/services/checks/signature_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/metrics.h"
#include "common/ssz/ssz.h"
#include "prometheus/metric_family.h"
#include "tests/beacon/services/support/chain_source.h"
#include "tests/beacon/services/support/test_network.h"

namespace lean::beacon {
namespace {

constexpr int64_t kSlotNow = 6;

class SignatureVerifierTest : public testing::Test {
 protected:
  BlockVerdict Check(SignedBlockPtr block, bool known = false, int64_t slot = kSlotNow) {
    std::promise<BlockVerdict> verdict;
    EXPECT_EQ(verifier_.VerifyBlock(
                  std::move(block), slot, [known](const Root&) { return known; },
                  [&](BlockVerdict result) { verdict.set_value(std::move(result)); }),
              PushResult::kPushed);
    return verdict.get_future().get();
  }

  std::vector<BlockVerdict> CheckAskedFor(std::vector<SignedBlockPtr> blocks, int64_t slot = kSlotNow) {
    std::promise<std::vector<BlockVerdict>> verdicts;
    EXPECT_EQ(verifier_.VerifyBlocks(
                  std::move(blocks), slot, [](const Root&) { return false; },
                  [&](std::vector<BlockVerdict> result) { verdicts.set_value(std::move(result)); }),
              PushResult::kPushed);
    return verdicts.get_future().get();
  }

  std::vector<VoteVerdict> Check(std::vector<SignedVotePtr> votes, int64_t slot = kSlotNow) {
    std::promise<std::vector<VoteVerdict>> verdicts;
    EXPECT_EQ(verifier_.VerifyVotes(std::move(votes), slot,
                                    [&](std::vector<VoteVerdict> result) { verdicts.set_value(std::move(result)); }),
              PushResult::kPushed);
    return verdicts.get_future().get();
  }

  std::vector<Attestation> Votes(size_t count) const {
    std::vector<Attestation> votes;
    for (size_t i = 0; i < count; ++i) {
      votes.push_back({.validator_id = i % network_.size(), .data = network_.DataAt(i / network_.size())});
    }
    return votes;
  }

  TestNetwork network_{3};
  SignatureVerifier verifier_{network_.scheme(), network_.registry(), {}};
};

SignedBlockPtr Changed(const SignedBlockPtr& block, const std::function<void(SignedBlockWithAttestation&)>& change) {
  auto changed = std::make_shared<SignedBlockWithAttestation>(*block);
  change(*changed);
  return changed;
}

TEST_F(SignatureVerifierTest, ARightVotePassesWithItsRoot) {
  const SignedVotePtr vote = network_.Vote(1, network_.DataAt(5));
  const VoteVerdict verdict = Check(std::vector{vote}).front();
  EXPECT_FALSE(verdict.refusal.has_value()) << verdict.refusal->message;
  EXPECT_EQ(verdict.root, ssz::HashTreeRoot(vote->message));
}

TEST_F(SignatureVerifierTest, EachVoteOfABatchHasItsOwnVerdictInOrder) {
  std::vector<SignedVotePtr> votes;
  for (const Attestation& vote : Votes(9)) votes.push_back(network_.Vote(vote.validator_id, vote.data));
  auto bad_signature = std::make_shared<SignedAttestation>(*votes[2]);
  bad_signature->signature.data[40] ^= 1;
  votes[2] = bad_signature;
  auto other_validator = std::make_shared<SignedAttestation>(*votes[4]);
  other_validator->message.validator_id = 0;
  votes[4] = other_validator;
  auto unknown = std::make_shared<SignedAttestation>(*votes[6]);
  unknown->message.validator_id = 3;
  votes[6] = unknown;
  auto future = std::make_shared<SignedAttestation>(*votes[7]);
  future->message.data.slot = kSlotNow + 2;
  votes[7] = future;
  const std::vector<VoteVerdict> verdicts = Check(votes);
  std::vector<std::string> reasons;
  for (const VoteVerdict& verdict : verdicts) {
    reasons.emplace_back(verdict.refusal.has_value() ? verdict.refusal->reason : "");
  }
  EXPECT_THAT(reasons, testing::ElementsAre("", "", "BAD_SIGNATURE", "", "BAD_SIGNATURE", "", "UNKNOWN_VALIDATOR",
                                            "FUTURE_SLOT", ""));
  EXPECT_THAT(verdicts[2].refusal->message, testing::HasSubstr("validator 2 for slot 0"));
}

TEST_F(SignatureVerifierTest, ManyVotesAreCheckedInPieces) {
  std::vector<SignedVotePtr> votes;
  for (const Attestation& vote : Votes(15)) votes.push_back(network_.Vote(vote.validator_id, vote.data));
  auto bad = std::make_shared<SignedAttestation>(*votes[0]);
  bad->signature.data[0] ^= 1;
  std::vector<SignedVotePtr> many;
  while (many.size() < 3 * kVerificationBatch + 1) many.push_back(votes[many.size() % votes.size()]);
  many[kVerificationBatch + 5] = bad;
  many.back() = bad;
  const std::vector<VoteVerdict> verdicts = Check(many);
  ASSERT_EQ(verdicts.size(), many.size());
  for (size_t i = 0; i < many.size(); ++i) {
    EXPECT_EQ(verdicts[i].refusal.has_value(), many[i] == bad) << i;
    EXPECT_EQ(verdicts[i].root, ssz::HashTreeRoot(many[i]->message)) << i;
  }
}

TEST_F(SignatureVerifierTest, SignaturesAreVerifiedAtALowPriority) {
  Mutex mutex;
  std::vector<int> priorities;
  SignatureVerifier verifier(
      [&](absl::Span<const crypto::VerificationItem> items) {
        MutexLock lock(mutex);
        priorities.push_back(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())));
        return std::vector<absl::Status>(items.size());
      },
      network_.registry(), {});
  std::vector<SignedVotePtr> votes;
  for (const Attestation& vote : Votes(15)) {
    votes.push_back(std::make_shared<SignedAttestation>(SignedAttestation{.message = vote, .signature = {}}));
  }
  std::latch done(2);
  ASSERT_EQ(verifier.VerifyVotes(votes, kSlotNow, [&](const auto&) { done.count_down(); }), PushResult::kPushed);
  ASSERT_EQ(verifier.VerifyBlock(
                network_.BlockAtEdge(6, Root(), Votes(7)), kSlotNow, [](const Root&) { return false; },
                [&](const BlockVerdict&) { done.count_down(); }),
            PushResult::kPushed);
  done.wait();
  EXPECT_THAT(priorities, testing::Each(testing::Ge(10)));
  EXPECT_GE(priorities.size(), 2u);
}

TEST_F(SignatureVerifierTest, ARightBlockPassesWithItsRoot) {
  const SignedBlockPtr block = network_.BlockAtEdge(6, Root(), Votes(7));
  const BlockVerdict verdict = Check(block);
  EXPECT_FALSE(verdict.refusal.has_value()) << verdict.refusal->message;
  EXPECT_EQ(verdict.root, ssz::HashTreeRoot(block->message.block));
  EXPECT_EQ(verifier_.counts().verified, 8u);
}

TEST_F(SignatureVerifierTest, AWrongSignatureInTheBodyRefusesTheBlock) {
  const SignedBlockPtr block =
      Changed(network_.BlockAtEdge(6, Root(), Votes(7)), [](auto& changed) { changed.signature[5].data[9] ^= 4; });
  const BlockVerdict verdict = Check(block);
  ASSERT_TRUE(verdict.refusal.has_value());
  EXPECT_EQ(verdict.refusal->reason, reason::kBadSignature);
  EXPECT_THAT(verdict.refusal->message, testing::HasSubstr("validator 2 for slot 1"));
}

TEST_F(SignatureVerifierTest, TheBodyIsNotLookedAtBeforeTheProposersSignatureIsRight) {
  const SignedBlockPtr block =
      Changed(network_.BlockAtEdge(6, Root(), Votes(7)), [](auto& changed) { changed.signature[7].data[9] ^= 4; });
  const BlockVerdict verdict = Check(block);
  ASSERT_TRUE(verdict.refusal.has_value());
  EXPECT_EQ(verdict.refusal->reason, reason::kBadSignature);
  EXPECT_EQ(verifier_.counts().wrong, 1u);
  EXPECT_EQ(verifier_.counts().verified, 0u);
}

TEST_F(SignatureVerifierTest, NoSignatureIsLookedAtWhereTheFormIsWrong) {
  const SignedBlockPtr block = network_.BlockAtEdge(6, Root(), Votes(1));
  EXPECT_EQ(Check(Changed(block, [](auto& changed) { changed.message.block.state_root.data[0] ^= 1; })).refusal->reason,
            reason::kProposerVoteMismatch);
  EXPECT_EQ(Check(Changed(block, [](auto& changed) { changed.signature.pop_back(); })).refusal->reason,
            reason::kMalformed);
  EXPECT_EQ(Check(Changed(block, [](auto& changed) { changed.message.block.slot = 9; })).refusal->reason,
            reason::kFutureSlot);
  EXPECT_EQ(verifier_.counts().verified + verifier_.counts().wrong, 0u);
}

TEST_F(SignatureVerifierTest, AKnownBlockIsNotCheckedAgain) {
  const BlockVerdict verdict = Check(network_.BlockAtEdge(6, Root(), Votes(3)), /*known=*/true);
  EXPECT_TRUE(verdict.already_known);
  EXPECT_FALSE(verdict.refusal.has_value());
  EXPECT_EQ(verifier_.counts().verified, 0u);
}

TEST_F(SignatureVerifierTest, AVoteSeenInGossipIsNotVerifiedAgainInABlock) {
  const std::vector<Attestation> votes = Votes(3);
  Check({network_.Vote(0, votes[0].data), network_.Vote(1, votes[1].data)});
  EXPECT_EQ(verifier_.counts().verified, 2u);
  EXPECT_FALSE(Check(network_.BlockAtEdge(6, Root(), votes)).refusal.has_value());
  EXPECT_EQ(verifier_.counts().verified, 4u);  // the third vote and the proposer's
  EXPECT_EQ(verifier_.counts().cached, 2u);
}

TEST_F(SignatureVerifierTest, EachComputedSignatureIsTimedOnce) {
  metrics::Registry registry;
  metrics::Histogram seconds(registry, "seconds", "Times", {}, {0.1, 1});
  const RealClock clock;
  SignatureVerifier verifier(network_.scheme(), network_.registry(), {.seconds = &seconds, .clock = &clock});
  for (int time = 0; time < 2; ++time) {
    std::promise<void> done;
    const std::vector<SignedVotePtr> votes = {network_.Vote(0, network_.DataAt(5)),
                                              network_.Vote(1, network_.DataAt(5))};
    ASSERT_EQ(verifier.VerifyVotes(votes, kSlotNow, [&](const std::vector<VoteVerdict>&) { done.set_value(); }),
              PushResult::kPushed);
    done.get_future().wait();
  }
  EXPECT_EQ(registry.Collect().front().metric.front().histogram.sample_count, 2u) << "not those that are remembered";
  EXPECT_EQ(verifier.caches().front().items, 2u);
}

TEST_F(SignatureVerifierTest, AWrongSignatureIsNotRemembered) {
  auto bad = std::make_shared<SignedAttestation>(*network_.Vote(1, network_.DataAt(5)));
  bad->signature.data[0] ^= 1;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Check(std::vector<SignedVotePtr>{bad}).front().refusal.has_value());
  EXPECT_EQ(verifier_.counts().wrong, 2u);
}

std::string ReasonOf(const std::optional<Refusal>& refusal) {
  return refusal.has_value() ? std::string(refusal->reason) : "";
}

TEST_F(SignatureVerifierTest, OfAValidatorsVotesForASlotTwoArePassedAndTheRestIsNotVerified) {
  const auto vote = [&](uint64_t validator, uint8_t number) {
    AttestationData data = network_.DataAt(5);
    data.head.root.data[0] = number;
    return network_.Vote(validator, data);
  };
  const std::vector<SignedVotePtr> two = {vote(1, 1), vote(1, 2)};
  for (uint8_t i = 0; i < 2; ++i) {
    const VoteVerdict verdict = Check(std::vector{two[i]}).front();
    EXPECT_EQ(ReasonOf(verdict.refusal), "");
    EXPECT_EQ(verdict.equivocates, i == 1);
  }
  std::vector<SignedVotePtr> many;
  for (uint8_t number = 3; number < 40; ++number) many.push_back(vote(1, number));
  for (const VoteVerdict& verdict : Check(many)) {
    EXPECT_EQ(ReasonOf(verdict.refusal), reason::kEquivocation);
    EXPECT_THAT(verdict.refusal->message, testing::HasSubstr("validator 1 has signed 2 other votes for slot 5"));
  }
  EXPECT_EQ(verifier_.counts().verified, 2u);
  // Those two, others' votes and other slots' are as before.
  for (const VoteVerdict& verdict : Check({two[0], two[1], vote(0, 3), network_.Vote(1, network_.DataAt(4))})) {
    EXPECT_EQ(ReasonOf(verdict.refusal), "");
    EXPECT_FALSE(verdict.equivocates);
  }
}

TEST_F(SignatureVerifierTest, DifferentVotesInOneBatchAreNoWayRoundIt) {
  std::vector<SignedVotePtr> many;
  for (uint8_t number = 0; number < 20; ++number) {
    AttestationData data = network_.DataAt(5);
    data.head.root.data[0] = number;
    many.push_back(network_.Vote(1, data));
  }
  size_t passed = 0;
  for (const VoteVerdict& verdict : Check(many)) passed += !verdict.refusal.has_value();
  EXPECT_EQ(passed, 2u);
}

TEST_F(SignatureVerifierTest, WhatIsWronglySignedTakesNobodysPlace) {
  for (uint8_t number = 1; number < 5; ++number) {
    auto forged = std::make_shared<SignedAttestation>(*network_.Vote(1, network_.DataAt(5)));
    forged->message.data.head.root.data[0] ^= number;
    EXPECT_EQ(ReasonOf(Check(std::vector<SignedVotePtr>{forged}).front().refusal), reason::kBadSignature);
    const SignedBlockPtr block =
        Changed(network_.BlockAtEdge(6, RootOf(number), {}), [](auto& changed) { changed.signature[0].data[9] ^= 4; });
    EXPECT_EQ(ReasonOf(Check(block).refusal), reason::kBadSignature);
  }
  EXPECT_EQ(ReasonOf(Check(std::vector{network_.Vote(1, network_.DataAt(5))}).front().refusal), "");
  EXPECT_EQ(ReasonOf(Check(network_.BlockAtEdge(6, Root(), {})).refusal), "");
}

TEST_F(SignatureVerifierTest, OfAProposersBlocksTwoArePassedAndTheRestOnlyWhenAskedFor) {
  EXPECT_FALSE(Check(network_.BlockAtEdge(6, RootOf(1), {})).equivocates);
  EXPECT_TRUE(Check(network_.BlockAtEdge(6, RootOf(2), {})).equivocates);
  const uint64_t verified = verifier_.counts().verified;
  const BlockVerdict third = Check(network_.BlockAtEdge(6, RootOf(3), Votes(3)));
  EXPECT_EQ(ReasonOf(third.refusal), reason::kEquivocation);
  EXPECT_FALSE(third.root.IsZero());
  EXPECT_EQ(verifier_.counts().verified, verified);
  EXPECT_EQ(ReasonOf(Check(network_.BlockAtEdge(6, RootOf(2), {})).refusal), "") << "a copy of the second";
  for (const BlockVerdict& verdict :
       CheckAskedFor({network_.BlockAtEdge(6, RootOf(3), Votes(3)), network_.BlockAtEdge(6, RootOf(4), {})})) {
    EXPECT_EQ(ReasonOf(verdict.refusal), "");
  }
  // The proposer's vote within its blocks is none of those that come by themselves.
  EXPECT_EQ(ReasonOf(Check(std::vector{network_.Vote(0, network_.DataAt(6))}).front().refusal), "");
}

TEST_F(SignatureVerifierTest, WhatIsTooOldToBeToldApartIsTakenOnlyWhenAskedFor) {
  const int64_t late = kSlotNow + SignedOnce::kSlots;
  EXPECT_EQ(ReasonOf(Check(std::vector{network_.Vote(1, network_.DataAt(kSlotNow))}, late).front().refusal), "");
  EXPECT_EQ(ReasonOf(Check(std::vector{network_.Vote(1, network_.DataAt(kSlotNow - 1))}, late).front().refusal),
            reason::kStale);
  EXPECT_EQ(ReasonOf(Check(network_.BlockAtEdge(6, Root(), {}), false, late).refusal), "");
  EXPECT_EQ(ReasonOf(Check(network_.BlockAtEdge(5, Root(), {}), false, late).refusal), reason::kStale);
  EXPECT_EQ(ReasonOf(CheckAskedFor({network_.BlockAtEdge(5, Root(), {})}, late).front().refusal), "");
}

TEST_F(SignatureVerifierTest, StopDropsWhatIsQueuedAndTurnsAwayTheRest) {
  auto token = std::make_shared<int>(0);
  std::latch running(2);
  std::latch go(1);
  const SignedBlockPtr block = network_.BlockAtEdge(6, Root(), {});
  const auto hold = [&](const Root&) {
    running.count_down();
    go.wait();
    return true;
  };
  // Both threads are held up; what comes behind them waits in the queue.
  for (int i = 0; i < 2; ++i) verifier_.VerifyBlock(block, kSlotNow, hold, [](const BlockVerdict&) {});
  running.wait();
  for (int i = 0; i < 5; ++i) {
    verifier_.VerifyBlock(
        block, kSlotNow, [](const Root&) { return false; }, [token](const BlockVerdict&) { ADD_FAILURE(); });
  }
  EXPECT_EQ(token.use_count(), 6);
  std::jthread stopper([&] { verifier_.Stop(); });
  // Stop has begun once nothing more is taken.
  while (verifier_.VerifyVotes({network_.Vote(0, network_.DataAt(0))}, kSlotNow,
                               [](const std::vector<VoteVerdict>&) {}) != PushResult::kClosed) {
    std::this_thread::yield();
  }
  go.count_down();
  stopper.join();
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace lean::beacon
