// Finality after bad times: the reference's rule for votes can stop it for good, ours resumes it
// (docs/spec_deviations.md, "What we vote for").
#include <cstdint>

#include "gtest/gtest.h"
#include "tests/simulation/network.h"

namespace lean::simulation {
namespace {

constexpr uint64_t kCalmFrom = 96;
constexpr uint64_t kEnd = 200;

// With this seed a checkpoint is justified on a fork that loses: the store's justified one stays ahead of the head's.
constexpr uint64_t kDeadlockSeed = 3;

NetworkOptions Options(uint64_t seed, VoteRule rule) {
  NetworkOptions options;
  options.seed = seed;
  options.rule = rule;
  options.calm_from_slot = kCalmFrom;
  return options;
}

void ExpectNothingOfOursRefused(const Network& network) {
  EXPECT_EQ(network.own_blocks_refused(), 0u);
  EXPECT_EQ(network.own_votes_refused(), 0u);
  EXPECT_EQ(network.finality_reverts(), 0u);
}

TEST(FinalityResumes, TheReferencesRuleStopsForGood) {
  Network network(Options(kDeadlockSeed, VoteRule::kReference));
  network.RunTo(kCalmFrom);
  const uint64_t finalized_before = network.HighestFinalizedSlot();
  network.RunTo(kEnd);
  // Everyone is there and hears everything, and yet nothing is finalized any more: votes have the store's justified
  // checkpoint for their source, and no block above the head may count them.
  EXPECT_EQ(network.HighestFinalizedSlot(), finalized_before);
  for (const beacon::LeanChain& chain : network.nodes()) {
    EXPECT_EQ(chain.head().slot, kEnd - 1);
    EXPECT_GT(chain.justified().slot, chain.head_state()->latest_justified.slot);
  }
}

TEST(FinalityResumes, OursResumesFromTheSameSeed) {
  Network network(Options(kDeadlockSeed, VoteRule::kOurs));
  network.RunTo(kEnd);
  EXPECT_GE(network.LowestFinalizedSlot(), kEnd - 10);
  ExpectNothingOfOursRefused(network);
}

// Nodes that have voted by the reference's rule into the deadlock come out of it once they vote by ours.
TEST(FinalityResumes, OursEndsADeadlockThatIsThere) {
  Network network(Options(kDeadlockSeed, VoteRule::kReference));
  network.RunTo(kCalmFrom + 40);
  const uint64_t finalized_before = network.HighestFinalizedSlot();
  ASSERT_LT(finalized_before, kCalmFrom);
  network.UseRule(VoteRule::kOurs);
  network.RunTo(kEnd);
  EXPECT_GE(network.LowestFinalizedSlot(), kEnd - 10);
  ExpectNothingOfOursRefused(network);
}

class FinalityResumesAfter : public testing::TestWithParam<uint64_t> {};

TEST_P(FinalityResumesAfter, DelaysPartitionsAndAbsence) {
  Network network(Options(GetParam(), VoteRule::kOurs));
  network.RunTo(kEnd);
  EXPECT_GE(network.LowestFinalizedSlot(), kEnd - 10);
  ExpectNothingOfOursRefused(network);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FinalityResumesAfter, testing::Range<uint64_t>(0, 30));

}  // namespace
}  // namespace lean::simulation
