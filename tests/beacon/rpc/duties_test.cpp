// Duties, and building blocks and votes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/bytes/bytes.h"
#include "common/rpc/wire/convert.h"
#include "common/rpc/wire/status.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;

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
