// Submitting blocks and votes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

using ::testing::HasSubstr;

TEST_F(DutiesTest, ABlockIsAcceptedOnceAndKnownAfterwards) {
  beacon_.GoTo(1);
  const auto built = BuildBlock(beacon_.BlockRequest(1));
  const auto vote = rpc::FromProto(built.response.proposer_attestation());
  ASSERT_TRUE(vote.ok()) << vote.status();
  v1::SubmitBlockRequest request;
  *request.mutable_block()->mutable_block() = built.response.block();
  *request.mutable_block()->mutable_proposer_attestation() = built.response.proposer_attestation();
  request.mutable_block()->add_signatures(rpc::BytesToProto(beacon_.Sign(*vote)));
  for (const v1::SubmitStatus expected : {v1::ACCEPTED, v1::ALREADY_KNOWN}) {
    const auto submitted = Call(beacon_.duties(), &DutyStub::SubmitBlock, request);
    ASSERT_TRUE(submitted.status.ok()) << submitted.status;
    EXPECT_EQ(submitted.response.result().status(), expected);
    // The vote's head is the block itself.
    EXPECT_EQ(submitted.response.root(), built.response.proposer_attestation().data().head().root());
  }
  // The slot is taken now.
  const absl::Status again = BuildBlock(beacon_.BlockRequest(1)).status;
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(rpc::ReasonOf(again), "SLOT_TAKEN");
}

TEST_F(DutiesTest, ABlockIsRefusedWithItsReason) {
  beacon_.GoTo(1);
  const auto built = BuildBlock(beacon_.BlockRequest(1));
  const auto vote = rpc::FromProto(built.response.proposer_attestation());
  v1::SubmitBlockRequest good;
  *good.mutable_block()->mutable_block() = built.response.block();
  *good.mutable_block()->mutable_proposer_attestation() = built.response.proposer_attestation();
  good.mutable_block()->add_signatures(rpc::BytesToProto(beacon_.Sign(*vote)));

  const auto reason_of = [&](const std::function<void(v1::SignedBlock&)>& damage) {
    v1::SubmitBlockRequest request = good;
    damage(*request.mutable_block());
    const auto submitted = Call(beacon_.duties(), &DutyStub::SubmitBlock, request);
    EXPECT_TRUE(submitted.status.ok()) << submitted.status;
    EXPECT_EQ(submitted.response.result().status(), v1::REFUSED) << submitted.response.DebugString();
    EXPECT_FALSE(submitted.response.result().message().empty());
    return submitted.response.result().reason();
  };
  EXPECT_EQ(reason_of([](v1::SignedBlock& block) { (*block.mutable_signatures(0))[100] ^= 1; }), "BAD_SIGNATURE");
  EXPECT_EQ(reason_of([](v1::SignedBlock& block) { block.mutable_block()->set_proposer_index(2); }), "WRONG_PROPOSER");
  EXPECT_EQ(reason_of([](v1::SignedBlock& block) { block.mutable_proposer_attestation()->set_validator_index(2); }),
            "PROPOSER_VOTE_MISMATCH");
  EXPECT_EQ(reason_of([](v1::SignedBlock& block) { block.mutable_block()->set_state_root(std::string(32, 's')); }),
            "PROPOSER_VOTE_MISMATCH");
  // The beacon goes on, and the good block is still good.
  EXPECT_EQ(Call(beacon_.duties(), &DutyStub::SubmitBlock, good).response.result().status(), v1::ACCEPTED);
}

TEST_F(DutiesTest, ABlockThatIsNoneIsMalformed) {
  const absl::Status none = Call(beacon_.duties(), &DutyStub::SubmitBlock, v1::SubmitBlockRequest()).status;
  EXPECT_EQ(rpc::ReasonOf(none), "MALFORMED_REQUEST");
  EXPECT_THAT(none.message(), HasSubstr("block: missing"));
  v1::SubmitBlockRequest request;
  request.mutable_block()->mutable_block()->set_parent_root("short");
  EXPECT_THAT(Call(beacon_.duties(), &DutyStub::SubmitBlock, request).status.message(),
              HasSubstr("block.block.parent_root: 5 bytes, expected 32"));
}

TEST_F(DutiesTest, VotesAreAnsweredOneByOne) {
  beacon_.GoTo(1);
  beacon_.Propose(1);
  beacon_.GoTo(1, 1);
  v1::SubmitVotesRequest request;
  *request.add_votes() = beacon_.Vote(1, 0);  // good
  request.add_votes();                        // empty
  *request.add_votes() = beacon_.Vote(1, 2);  // signature of another message
  request.mutable_votes(2)->mutable_attestation()->set_validator_index(3);
  *request.add_votes() = beacon_.Vote(1, 2);  // no such validator
  request.mutable_votes(3)->mutable_attestation()->set_validator_index(4);
  Attestation unknown = rpc::FromProto(beacon_.Vote(1, 2))->message;  // names a block that is not here
  unknown.data.head.root.data.fill(7);
  *request.add_votes() = rpc::ToProto(SignedAttestation{unknown, beacon_.Sign(unknown)});
  const auto submitted = Call(beacon_.duties(), &DutyStub::SubmitVotes, request);
  ASSERT_TRUE(submitted.status.ok()) << submitted.status;
  ASSERT_EQ(submitted.response.results_size(), 5);
  EXPECT_EQ(submitted.response.results(0).status(), v1::ACCEPTED);
  EXPECT_EQ(submitted.response.results(0).reason(), "");
  EXPECT_EQ(submitted.response.results(1).status(), v1::REFUSED);
  EXPECT_EQ(submitted.response.results(1).reason(), "MALFORMED");
  EXPECT_EQ(submitted.response.results(1).message(), "attestation: missing");
  EXPECT_EQ(submitted.response.results(2).status(), v1::REFUSED);
  EXPECT_EQ(submitted.response.results(2).reason(), "BAD_SIGNATURE");
  EXPECT_EQ(submitted.response.results(3).status(), v1::REFUSED);
  EXPECT_EQ(submitted.response.results(3).reason(), "UNKNOWN_VALIDATOR");
  EXPECT_EQ(submitted.response.results(4).status(), v1::QUEUED);
  EXPECT_EQ(submitted.response.results(4).reason(), "UNKNOWN_BLOCK");

  const auto status = Call(beacon_.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest());
  EXPECT_EQ(status.response.waiting_votes(), 1u);
}

TEST_F(DutiesTest, AVoteThatComesAgainIsAcceptedAgain) {
  beacon_.GoTo(1);
  beacon_.Propose(1);
  beacon_.GoTo(1, 1);
  const v1::SignedAttestation vote = beacon_.Vote(1, 0);
  EXPECT_EQ(SubmitVote(vote).status(), v1::ACCEPTED);
  EXPECT_EQ(SubmitVote(vote).status(), v1::ACCEPTED);
  const auto status = Call(beacon_.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest());
  EXPECT_EQ(status.response.pending_votes(), 2u);  // with the proposer's
}

TEST_F(DutiesTest, AVoteOfTheNextSlotWaitsForIt) {
  beacon_.GoTo(1);
  beacon_.Propose(1);
  Attestation early = rpc::FromProto(beacon_.Vote(1, 0))->message;
  early.data.slot = 2;
  const v1::SubmitResult result = SubmitVote(rpc::ToProto(SignedAttestation{early, beacon_.Sign(early)}));
  EXPECT_EQ(result.status(), v1::QUEUED);
  EXPECT_EQ(result.reason(), "EARLY");
}

TEST_F(DutiesTest, AVoteThatIsNoneIsMalformed) {
  EXPECT_EQ(rpc::ReasonOf(Call(beacon_.duties(), &DutyStub::SubmitVote, v1::SubmitVoteRequest()).status),
            "MALFORMED_REQUEST");
  v1::SubmitVoteRequest request;
  request.mutable_vote()->mutable_attestation();
  EXPECT_THAT(Call(beacon_.duties(), &DutyStub::SubmitVote, request).status.message(),
              HasSubstr("vote.attestation.data: missing"));
}

TEST_F(DutiesTest, ABatchHasItsLimits) {
  v1::SubmitVotesRequest request;
  EXPECT_EQ(rpc::ReasonOf(Call(beacon_.duties(), &DutyStub::SubmitVotes, request).status), "MALFORMED_REQUEST");
  for (int i = 0; i < 4096; ++i) request.add_votes();
  const auto all_bad = Call(beacon_.duties(), &DutyStub::SubmitVotes, request);
  ASSERT_TRUE(all_bad.status.ok()) << all_bad.status;
  ASSERT_EQ(all_bad.response.results_size(), 4096);
  EXPECT_EQ(all_bad.response.results(4095).reason(), "MALFORMED");
  request.add_votes();
  EXPECT_THAT(Call(beacon_.duties(), &DutyStub::SubmitVotes, request).status.message(),
              HasSubstr("4097, at most 4096"));
}

}  // namespace
}  // namespace lean::beacon
