// GetLiveness: whose votes were seen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

using ::testing::HasSubstr;

TEST_F(DutiesTest, LivenessCountsVotesFromASlotOn) {
  beacon_.GoTo(1);
  beacon_.Propose(1);  // by validator 1
  beacon_.GoTo(1, 1);
  ASSERT_EQ(SubmitVote(beacon_.Vote(1, 3)).status(), v1::ACCEPTED);
  v1::GetLivenessRequest request;
  for (const uint64_t index : {3, 0, 1}) request.add_indices(index);
  for (const uint64_t from_slot : {0, 1, 2}) {
    request.set_from_slot(from_slot);
    const auto liveness = Call(beacon_.duties(), &DutyStub::GetLiveness, request);
    ASSERT_TRUE(liveness.status.ok()) << liveness.status;
    ASSERT_EQ(liveness.response.validators_size(), 3);
    EXPECT_EQ(liveness.response.validators(0).live(), from_slot <= 1) << "a vote by itself";
    EXPECT_EQ(liveness.response.validators(0).latest_vote_slot(), 1u);
    EXPECT_FALSE(liveness.response.validators(1).live());
    EXPECT_EQ(liveness.response.validators(1).latest_vote_slot(), 0u);
    EXPECT_EQ(liveness.response.validators(2).live(), from_slot <= 1) << "a proposer's vote in its block";
  }
  request.add_indices(4);
  const absl::Status beyond = Call(beacon_.duties(), &DutyStub::GetLiveness, request).status;
  EXPECT_EQ(rpc::ReasonOf(beyond), "MALFORMED_REQUEST");
  EXPECT_THAT(beyond.message(), HasSubstr("indices[3]: 4 is not in the registry of 4 validators"));
}

// What a second client of a key signs is shown as the signed vote, to those who ask for it and do not know it.
TEST_F(DutiesTest, LivenessShowsSignedVotesThatTheCallerDoesNotKnow) {
  beacon_.GoTo(1);
  beacon_.Propose(1);  // by validator 1
  beacon_.GoTo(1, 1);
  const v1::SignedAttestation first = beacon_.Vote(1, 3);
  ASSERT_EQ(SubmitVote(first).status(), v1::ACCEPTED);
  v1::GetLivenessRequest request;
  for (const uint64_t index : {3, 0, 1}) request.add_indices(index);
  request.set_from_slot(1);
  const auto ask = [&] {
    const auto answer = Call(beacon_.duties(), &DutyStub::GetLiveness, request);
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    return answer.response;
  };
  EXPECT_FALSE(ask().validators(0).has_vote()) << "unless it is asked for";
  request.set_show_votes(true);
  EXPECT_EQ(ask().validators(0).vote().SerializeAsString(), first.SerializeAsString());
  EXPECT_FALSE(ask().validators(1).has_vote());
  const absl::StatusOr<SignedAttestation> proposers = rpc::FromProto(ask().validators(2).vote());
  ASSERT_TRUE(proposers.ok()) << proposers.status();
  EXPECT_EQ(proposers->message.data.head.slot, 1u) << "for its own block";
  EXPECT_EQ(proposers->signature, beacon_.Sign(proposers->message));

  const auto know = [&](const v1::SignedAttestation& vote) {
    request.add_known_roots(rpc::BytesToProto(ssz::HashTreeRoot(rpc::FromProto(vote)->message)));
  };
  know(first);
  EXPECT_FALSE(ask().validators(0).has_vote());
  v1::SignedAttestation second = first;
  *second.mutable_attestation()->mutable_data()->mutable_head() = first.attestation().data().source();
  second.set_signature(rpc::BytesToProto(beacon_.Sign(rpc::FromProto(second.attestation()).value())));
  SubmitVote(second);
  EXPECT_EQ(ask().validators(0).vote().SerializeAsString(), second.SerializeAsString()) << "a second root of the leaf";
  know(second);
  EXPECT_FALSE(ask().validators(0).has_vote());

  request.clear_known_roots();
  request.set_from_slot(2);
  EXPECT_FALSE(ask().validators(0).has_vote());
  // Long after, the latest vote of each validator is at hand.
  beacon_.GoTo(20);
  beacon_.Propose(20);
  request.set_from_slot(0);
  EXPECT_EQ(ask().validators(0).vote().SerializeAsString(), first.SerializeAsString());
  know(first);
  EXPECT_FALSE(ask().validators(0).has_vote());

  request.add_known_roots("short");
  EXPECT_EQ(rpc::ReasonOf(Call(beacon_.duties(), &DutyStub::GetLiveness, request).status), "MALFORMED_REQUEST");
  request.clear_known_roots();
  for (int i = 0; i < 16385; ++i) request.add_known_roots(std::string(32, 'x'));
  EXPECT_EQ(rpc::ReasonOf(Call(beacon_.duties(), &DutyStub::GetLiveness, request).status), "MALFORMED_REQUEST");
}

TEST(DutiesSyncing, ABeaconThatIsBehindCannotTellOfLiveness) {
  TestBeaconOptions options;
  options.sync = [] {
    return SyncStatus{.synced = false, .lag_slots = 132, .message = "132 slots behind alpha (10.0.0.2:9000)"};
  };
  TestBeacon beacon(options);
  EXPECT_EQ(rpc::ReasonOf(Call(beacon.duties(), &DutyStub::GetLiveness, v1::GetLivenessRequest()).status), "SYNCING");
}

TEST(DutiesLiveness, VotesThatAKeptChainBeganWithCount) {
  TestBeaconOptions options;
  options.prepare = [](LeanChain& chain) {
    const Checkpoint genesis = chain.head();
    auto vote = std::make_shared<SignedAttestation>();
    vote->message = {.validator_id = 2, .data = {.slot = 0, .head = genesis, .target = genesis, .source = genesis}};
    ASSERT_TRUE(chain.OnVote(vote).ok());
  };
  TestBeacon beacon(options);
  v1::GetLivenessRequest request;
  for (const uint64_t index : {1, 2}) request.add_indices(index);
  const auto liveness = Call(beacon.duties(), &DutyStub::GetLiveness, request);
  ASSERT_TRUE(liveness.status.ok()) << liveness.status;
  EXPECT_FALSE(liveness.response.validators(0).live());
  EXPECT_TRUE(liveness.response.validators(1).live());
}

}  // namespace
}  // namespace lean::beacon
