#include "validator_client/duties/vote_statistics.h"

#include "gtest/gtest.h"

namespace lean::validator {
namespace {

Attestation Vote(uint64_t validator, uint64_t source, uint64_t target) {
  Attestation vote;
  vote.validator_id = validator;
  vote.data.source.slot = source;
  vote.data.target.slot = target;
  return vote;
}

TEST(VoteStatistics, CountsRepeatedTargetsAndSurroundingVotes) {
  VoteStatistics statistics;
  statistics.Add(Vote(0, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 0);
  statistics.Add(Vote(0, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 1);
  EXPECT_EQ(statistics.counts().surrounding, 0);
  statistics.Add(Vote(0, 1, 9));  // around the others
  EXPECT_EQ(statistics.counts().surrounding, 1);
  statistics.Add(Vote(0, 3, 7));  // within the last
  EXPECT_EQ(statistics.counts().surrounding, 2);
  statistics.Add(Vote(0, 9, 12));
  EXPECT_EQ(statistics.counts().surrounding, 2);
  EXPECT_EQ(statistics.counts().repeated_targets, 1);
}

TEST(VoteStatistics, KnowsValidatorsApartAndForgetsOldVotes) {
  VoteStatistics statistics;
  statistics.Add(Vote(0, 2, 6));
  statistics.Add(Vote(1, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 0);
  for (uint64_t i = 0; i < VoteStatistics::kKept; ++i) statistics.Add(Vote(0, 10, 20 + i));
  statistics.Add(Vote(0, 2, 6));
  EXPECT_EQ(statistics.counts().repeated_targets, 0) << "the first vote is no longer kept";
}

}  // namespace
}  // namespace lean::validator
