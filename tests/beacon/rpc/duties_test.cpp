// DutyService as a validator client sees it.
#include <functional>

#include "common/bytes/hex.h"
#include "common/rpc/convert.h"
#include "common/rpc/status.h"
#include "common/ssz/ssz.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;

class DutiesTest : public ::testing::Test {
 protected:
  Called<v1::BuildBlockResponse> BuildBlock(const v1::BuildBlockRequest& request) {
    return Call(beacon_.duties(), &DutyStub::BuildBlock, request);
  }
  Called<v1::BuildVoteResponse> BuildVote(const v1::BuildVoteRequest& request) {
    return Call(beacon_.duties(), &DutyStub::BuildVote, request);
  }
  v1::SubmitResult SubmitVote(const v1::SignedAttestation& vote) {
    v1::SubmitVoteRequest request;
    *request.mutable_vote() = vote;
    const auto submitted = Call(beacon_.duties(), &DutyStub::SubmitVote, request);
    EXPECT_TRUE(submitted.status.ok()) << submitted.status;
    return submitted.response.result();
  }

  TestBeacon beacon_;
};

TEST_F(DutiesTest, KeysFindTheirIndices) {
  v1::GetDutiesRequest request;
  request.add_pubkeys(rpc::BytesToProto(beacon_.pubkey()));
  request.add_pubkeys(std::string(52, 'x'));
  request.set_slot(7);
  const auto duties = Call(beacon_.duties(), &DutyStub::GetDuties, request);
  ASSERT_TRUE(duties.status.ok()) << duties.status;
  ASSERT_EQ(duties.response.duties_size(), 2);
  EXPECT_TRUE(duties.response.duties(0).known());
  EXPECT_THAT(duties.response.duties(0).indices(), ElementsAre(0, 1, 2, 3));
  EXPECT_FALSE(duties.response.duties(1).known());
  EXPECT_EQ(duties.response.duties(1).indices_size(), 0);
  EXPECT_EQ(duties.response.proposer_index(), 3u);
  EXPECT_EQ(duties.response.validator_count(), 4u);
  EXPECT_EQ(duties.response.genesis_block_root(), rpc::BytesToProto(beacon_.genesis().block_root));
  EXPECT_EQ(duties.response.genesis_state_root(), rpc::BytesToProto(beacon_.genesis().state_root));
  EXPECT_EQ(duties.response.genesis_time(), kGenesisTime);
  EXPECT_EQ(duties.response.slot_duration_ms(), 4000u);
  EXPECT_EQ(duties.response.xmss_log_lifetime(), 8u);
  EXPECT_EQ(duties.response.signature_form(), "flat");
  EXPECT_EQ(duties.response.time_ms(), kGenesisTime * 1000);
  EXPECT_EQ(duties.response.current_slot(), 0);
  EXPECT_EQ(duties.response.head_slot(), 0u);
  EXPECT_TRUE(duties.response.synced());
}

TEST_F(DutiesTest, BadKeysAreMalformed) {
  v1::GetDutiesRequest request;
  request.add_pubkeys(std::string(51, 'x'));
  const absl::Status status = Call(beacon_.duties(), &DutyStub::GetDuties, request).status;
  EXPECT_EQ(rpc::ReasonOf(status), "MALFORMED_REQUEST");
  EXPECT_THAT(status.message(), HasSubstr("pubkeys[0]: 51 bytes, expected 52"));

  request.clear_pubkeys();
  for (int i = 0; i < 4097; ++i) request.add_pubkeys(std::string(52, 'x'));
  EXPECT_THAT(Call(beacon_.duties(), &DutyStub::GetDuties, request).status.message(), HasSubstr("4097, at most 4096"));
}

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

// The head is far ahead of the clock, which so cannot be right.
TEST(DutiesRefused, AWrongClockIsSignedByForNobody) {
  TestBeacon beacon;
  beacon.GoTo(8);
  beacon.Propose(8);
  const int64_t right = beacon.clock().WallMs();
  beacon.clock().SetWallMs(right - 4 * static_cast<int64_t>(beacon.slot_ms()));
  const absl::Status vote = Call(beacon.duties(), &DutyStub::BuildVote, beacon.VoteRequest(4)).status;
  EXPECT_EQ(rpc::ReasonOf(vote), "CLOCK_WRONG");
  EXPECT_THAT(vote.message(), HasSubstr("by this machine's clock it is slot 4, but the head has slot 8"));
  EXPECT_EQ(rpc::ReasonOf(Call(beacon.duties(), &DutyStub::BuildBlock, beacon.BlockRequest(4)).status), "CLOCK_WRONG");
  const v1::GetDutiesResponse duties = Call(beacon.duties(), &DutyStub::GetDuties, v1::GetDutiesRequest()).response;
  EXPECT_FALSE(duties.synced());
  EXPECT_EQ(duties.refusal(), "CLOCK_WRONG");
  EXPECT_THAT(duties.refusal_message(), HasSubstr("the head has slot 8"));
  beacon.clock().SetWallMs(right);
  EXPECT_TRUE(Call(beacon.duties(), &DutyStub::BuildVote, beacon.VoteRequest(8)).status.ok());
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

TEST(DutiesRefused, GetDutiesSaysWhy) {
  bool synced = true;
  absl::Status disk;
  TestBeaconOptions options;
  options.sync = [&synced] { return SyncStatus{.synced = synced, .message = "12 slots behind alpha"}; };
  options.kept.health = [&disk] { return disk; };
  TestBeacon beacon(options);
  const auto ask = [&beacon] { return Call(beacon.duties(), &DutyStub::GetDuties, v1::GetDutiesRequest()).response; };
  EXPECT_TRUE(ask().synced());
  EXPECT_EQ(ask().refusal(), "");
  synced = false;
  EXPECT_EQ(ask().refusal(), "SYNCING");
  EXPECT_THAT(ask().refusal_message(), HasSubstr("12 slots behind alpha"));
  disk = absl::ResourceExhaustedError("no space is left");
  EXPECT_FALSE(ask().synced());
  EXPECT_EQ(ask().refusal(), "STORAGE_FAILED");
  EXPECT_EQ(ask().refusal_message(), "no space is left");
}

TEST_F(DutiesTest, BuildingLeavesNoTrace) {
  beacon_.GoTo(1);
  const auto before = Call(beacon_.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest());
  const auto block = BuildBlock(beacon_.BlockRequest(1));
  ASSERT_TRUE(block.status.ok()) << block.status;
  EXPECT_EQ(block.response.block().slot(), 1u);
  EXPECT_EQ(block.response.block().proposer_index(), 1u);
  EXPECT_EQ(block.response.block().parent_root(), rpc::BytesToProto(beacon_.genesis().block_root));
  EXPECT_EQ(block.response.proposer_attestation().validator_index(), 1u);
  EXPECT_EQ(block.response.proposer_attestation().data().slot(), 1u);
  EXPECT_EQ(block.response.attestation_signatures_size(), 0);
  EXPECT_EQ(block.response.time_ms(), kGenesisTime * 1000 + 4000);
  const auto vote = BuildVote(beacon_.VoteRequest(1));
  ASSERT_TRUE(vote.status.ok()) << vote.status;
  EXPECT_EQ(vote.response.data().slot(), 1u);
  const auto after = Call(beacon_.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest());
  EXPECT_EQ(before.response.SerializeAsString(), after.response.SerializeAsString());
}

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

TEST_F(DutiesTest, BuildersRefuseWhatIsNotTheirSlot) {
  beacon_.GoTo(3);
  for (const uint64_t slot : {uint64_t{2}, uint64_t{4}, ~uint64_t{0}}) {
    for (const absl::Status& status :
         {BuildBlock(beacon_.BlockRequest(slot)).status, BuildVote(beacon_.VoteRequest(slot)).status}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_EQ(rpc::ReasonOf(status), "WRONG_SLOT");
      EXPECT_THAT(rpc::MetadataOf(status), ElementsAre(Pair("current", "3"), Pair("requested", std::to_string(slot))));
    }
  }
}

TEST_F(DutiesTest, ACallerWhoseClockIsALittleAheadKeepsItsSlot) {
  beacon_.GoTo(1);
  beacon_.clock().Advance(std::chrono::milliseconds(3749));
  EXPECT_EQ(rpc::ReasonOf(BuildVote(beacon_.VoteRequest(2)).status), "WRONG_SLOT");
  beacon_.clock().Advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(BuildVote(beacon_.VoteRequest(2)).status.ok());
  EXPECT_TRUE(BuildVote(beacon_.VoteRequest(1)).status.ok());
}

TEST_F(DutiesTest, BuildersRefuseAnotherGenesis) {
  beacon_.GoTo(1);
  v1::BuildBlockRequest block = beacon_.BlockRequest(1);
  v1::BuildVoteRequest vote = beacon_.VoteRequest(1);
  block.set_genesis_block_root(std::string(32, 'x'));
  vote.set_genesis_block_root(std::string(32, 'x'));
  for (const absl::Status& status : {BuildBlock(block).status, BuildVote(vote).status}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(rpc::ReasonOf(status), "WRONG_GENESIS");
    EXPECT_THAT(rpc::MetadataOf(status), IsSupersetOf({Pair("current", ToHex(beacon_.genesis().block_root.span()))}));
  }
  block.set_genesis_block_root("");
  vote.set_genesis_block_root(std::string(33, 'x'));
  for (const absl::Status& status : {BuildBlock(block).status, BuildVote(vote).status}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(rpc::ReasonOf(status), "MALFORMED_REQUEST");
  }
}

TEST_F(DutiesTest, BuildersRefuseBeforeGenesis) {
  beacon_.clock().SetWallMs(static_cast<int64_t>(kGenesisTime) * 1000 - 1000);
  for (const absl::Status& status :
       {BuildBlock(beacon_.BlockRequest(0)).status, BuildVote(beacon_.VoteRequest(0)).status}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(rpc::ReasonOf(status), "BEFORE_GENESIS");
    EXPECT_THAT(rpc::MetadataOf(status), ElementsAre(Pair("genesis_time", std::to_string(kGenesisTime))));
  }
}

TEST_F(DutiesTest, BuildersRefuseAfterTheEnd) {
  // A key of 2^8 leaves has none for slot 256. The wall clock alone moves, so the chain stays where it is.
  beacon_.clock().SetWallMs(static_cast<int64_t>(kGenesisTime + 256 * 4) * 1000);
  for (const absl::Status& status :
       {BuildBlock(beacon_.BlockRequest(256)).status, BuildVote(beacon_.VoteRequest(256)).status}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(rpc::ReasonOf(status), "CHAIN_ENDED");
    EXPECT_THAT(rpc::MetadataOf(status), ElementsAre(Pair("last_slot", "255")));
  }
}

TEST_F(DutiesTest, OnlyTheProposerBuildsABlock) {
  beacon_.GoTo(1);
  v1::BuildBlockRequest request = beacon_.BlockRequest(1);
  for (const uint64_t index : {uint64_t{0}, uint64_t{2}, uint64_t{5}}) {
    request.set_proposer_index(index);
    const absl::Status status = BuildBlock(request).status;
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(rpc::ReasonOf(status), "NOT_PROPOSER");
    EXPECT_THAT(rpc::MetadataOf(status), ElementsAre(Pair("current", "1"), Pair("requested", std::to_string(index))));
  }
}

TEST(SyncingTest, ABeaconThatIsBehindRefusesDuties) {
  TestBeaconOptions options;
  options.sync = [] {
    return SyncStatus{.synced = false, .lag_slots = 132, .message = "132 slots behind alpha (10.0.0.2:9000)"};
  };
  TestBeacon beacon(options);
  beacon.GoTo(1);
  for (const absl::Status& status : {Call(beacon.duties(), &DutyStub::BuildBlock, beacon.BlockRequest(1)).status,
                                     Call(beacon.duties(), &DutyStub::BuildVote, beacon.VoteRequest(1)).status}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(rpc::ReasonOf(status), "SYNCING");
    EXPECT_THAT(status.message(), HasSubstr("syncing: 132 slots behind alpha (10.0.0.2:9000), the head has slot 0"));
    EXPECT_THAT(rpc::MetadataOf(status),
                ElementsAre(Pair("current", "1"), Pair("head_slot", "0"), Pair("lag_slots", "132")));
  }
  const auto chain = Call(beacon.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest()).response;
  EXPECT_FALSE(chain.synced());
  EXPECT_EQ(chain.sync().lag_slots(), 132u);
  const auto node = Call(beacon.queries(), &QueryStub::GetNodeInfo, v1::GetNodeInfoRequest()).response;
  EXPECT_EQ(node.sync().message(), "132 slots behind alpha (10.0.0.2:9000)");
  const auto duties = Call(beacon.duties(), &DutyStub::GetDuties, v1::GetDutiesRequest());
  EXPECT_TRUE(duties.status.ok()) << duties.status;
  EXPECT_FALSE(duties.response.synced());
}

}  // namespace
}  // namespace lean::beacon
