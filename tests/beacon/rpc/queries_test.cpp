// BeaconService as a client sees it.
#include "common/bytes/bytes.h"
#include "common/rpc/wire/status.h"
#include "common/ssz/ssz.h"
#include "common/version/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/beacon/rpc/test_beacon.h"

namespace lean::beacon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class QueriesTest : public ::testing::Test {
 protected:
  Called<v1::GetBlockResponse> GetBlock(const v1::BlockId& id) {
    v1::GetBlockRequest request;
    *request.mutable_block() = id;
    return Call(beacon_.queries(), &QueryStub::GetBlock, request);
  }
  Called<v1::GetStateResponse> GetState(const v1::BlockId& id) {
    v1::GetStateRequest request;
    *request.mutable_block() = id;
    return Call(beacon_.queries(), &QueryStub::GetState, request);
  }
  std::string GenesisRoot() const { return ToHex(beacon_.genesis().block_root.span()); }

  TestBeacon beacon_;
};

v1::BlockId ByRoot(const std::string& root) {
  v1::BlockId id;
  id.set_root(root);
  return id;
}
v1::BlockId BySlot(uint64_t slot) {
  v1::BlockId id;
  id.set_slot(slot);
  return id;
}
v1::BlockId ByName(v1::BlockId::Name name) {
  v1::BlockId id;
  id.set_name(name);
  return id;
}

TEST_F(QueriesTest, HeadIsGenesisAtFirst) {
  const auto head = Call(beacon_.queries(), &QueryStub::GetHead, v1::GetHeadRequest());
  ASSERT_TRUE(head.status.ok()) << head.status;
  for (const v1::CheckpointView& checkpoint :
       {head.response.head(), head.response.justified(), head.response.finalized(), head.response.safe_target()}) {
    EXPECT_EQ(checkpoint.root(), GenesisRoot());
    EXPECT_EQ(checkpoint.slot(), 0u);
  }
  EXPECT_EQ(head.response.parent_root(), "0x" + std::string(64, '0'));
  EXPECT_EQ(head.response.state_root(), ToHex(beacon_.genesis().state_root.span()));
}

TEST_F(QueriesTest, HeadFollowsABlock) {
  beacon_.GoTo(1);
  const Root root = beacon_.Propose(1);
  const auto head = Call(beacon_.queries(), &QueryStub::GetHead, v1::GetHeadRequest());
  ASSERT_TRUE(head.status.ok()) << head.status;
  EXPECT_EQ(head.response.head().root(), ToHex(root.span()));
  EXPECT_EQ(head.response.head().slot(), 1u);
  EXPECT_EQ(head.response.parent_root(), GenesisRoot());
  EXPECT_EQ(head.response.proposer_index(), 1u);
}

TEST_F(QueriesTest, StatusTellsTimeVotesAndWhoIsMissing) {
  beacon_.GoTo(1);
  beacon_.Propose(1);
  beacon_.GoTo(1, 1);
  v1::SubmitVoteRequest vote;
  *vote.mutable_vote() = beacon_.Vote(1, 3);
  ASSERT_EQ(Call(beacon_.duties(), &DutyStub::SubmitVote, vote).response.result().status(), v1::ACCEPTED);

  auto status = Call(beacon_.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest());
  ASSERT_TRUE(status.status.ok()) << status.status;
  EXPECT_EQ(status.response.slot(), 1);
  EXPECT_EQ(status.response.interval(), 1u);
  EXPECT_EQ(status.response.proposer_index(), 1u);
  EXPECT_EQ(status.response.validator_count(), 4u);
  EXPECT_EQ(status.response.time_ms(), kGenesisTime * 1000 + 5000);
  EXPECT_EQ(status.response.votes_in_slot(), 2u);  // the proposer's, in its block, and 3's
  EXPECT_EQ(status.response.pending_votes(), 2u);
  EXPECT_EQ(status.response.known_votes(), 0u);
  EXPECT_EQ(status.response.block_count(), 2u);
  EXPECT_EQ(status.response.slots_left(), 254u);  // a key of 2^8 leaves ends with slot 255
  EXPECT_TRUE(status.response.synced());

  beacon_.GoTo(2);
  status = Call(beacon_.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest());
  EXPECT_EQ(status.response.votes_in_previous_slot(), 2u);
  EXPECT_THAT(status.response.missing_in_previous_slot(), ElementsAre(0, 2));
  EXPECT_EQ(status.response.known_votes(), 2u);
  EXPECT_EQ(status.response.pending_votes(), 0u);
}

TEST_F(QueriesTest, StatusBeforeGenesisHasANegativeSlot) {
  beacon_.clock().SetWallMs(static_cast<int64_t>(kGenesisTime) * 1000 - 1);
  const auto status = Call(beacon_.queries(), &QueryStub::GetChainStatus, v1::GetChainStatusRequest());
  ASSERT_TRUE(status.status.ok()) << status.status;
  EXPECT_EQ(status.response.slot(), -1);
  EXPECT_EQ(status.response.proposer_index(), 0u);
}

TEST_F(QueriesTest, ABlockIsFoundByEveryName) {
  beacon_.GoTo(1);
  const std::string root = ToHex(beacon_.Propose(1).span());
  for (const v1::BlockId& id : {ByRoot(root), ByRoot(root.substr(2)), BySlot(1), ByName(v1::BlockId::HEAD)}) {
    const auto block = GetBlock(id);
    ASSERT_TRUE(block.status.ok()) << block.status << id.DebugString();
    EXPECT_EQ(block.response.root(), root);
    EXPECT_EQ(block.response.slot(), 1u);
    EXPECT_EQ(block.response.parent_root(), GenesisRoot());
    EXPECT_TRUE(block.response.canonical());
    EXPECT_FALSE(block.response.finalized());
    EXPECT_EQ(block.response.proposer_attestation().validator_index(), 1u);
    EXPECT_EQ(block.response.proposer_attestation().head().root(), root);
  }
  for (const v1::BlockId& id : {ByRoot(GenesisRoot()), BySlot(0), ByName(v1::BlockId::GENESIS),
                                ByName(v1::BlockId::JUSTIFIED), ByName(v1::BlockId::FINALIZED)}) {
    const auto block = GetBlock(id);
    ASSERT_TRUE(block.status.ok()) << block.status << id.DebugString();
    EXPECT_EQ(block.response.root(), GenesisRoot());
    EXPECT_EQ(block.response.body_root(), ToHex(ssz::HashTreeRoot(BlockBody()).span()));
    EXPECT_FALSE(block.response.has_proposer_attestation());
    EXPECT_TRUE(block.response.canonical());
    EXPECT_TRUE(block.response.finalized());
  }
}

TEST_F(QueriesTest, ABlockShowsItsVotes) {
  beacon_.GoTo(1);
  const std::string first = ToHex(beacon_.Propose(1).span());
  beacon_.GoTo(2);
  beacon_.Propose(2);
  const auto block = GetBlock(BySlot(2));
  ASSERT_TRUE(block.status.ok()) << block.status;
  // The first proposer's vote, which came in its block.
  ASSERT_EQ(block.response.attestations_size(), 1);
  EXPECT_EQ(block.response.attestations(0).validator_index(), 1u);
  EXPECT_EQ(block.response.attestations(0).slot(), 1u);
  EXPECT_EQ(block.response.attestations(0).head().root(), first);
}

TEST_F(QueriesTest, ABlockThatIsNotThereIsNotFound) {
  for (const v1::BlockId& id : {ByRoot("0x" + std::string(64, '7')), BySlot(1), BySlot(~uint64_t{0})}) {
    for (const absl::Status& status : {GetBlock(id).status, GetState(id).status}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << id.DebugString();
      EXPECT_EQ(rpc::ReasonOf(status), "BLOCK_NOT_FOUND");
    }
  }
}

TEST_F(QueriesTest, ABlockThatIsNamedBadlyIsMalformed) {
  for (const v1::BlockId& id :
       {v1::BlockId(), ByRoot(""), ByRoot("0x12"), ByRoot("0x" + std::string(66, '0')), ByRoot(std::string(64, 'g')),
        ByName(v1::BlockId::NAME_UNSPECIFIED), ByName(static_cast<v1::BlockId::Name>(99))}) {
    for (const absl::Status& status : {GetBlock(id).status, GetState(id).status}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << id.DebugString();
      EXPECT_EQ(rpc::ReasonOf(status), "MALFORMED_REQUEST");
    }
  }
  EXPECT_THAT(Call(beacon_.queries(), &QueryStub::GetBlock, v1::GetBlockRequest()).status.message(),
              HasSubstr("block: missing"));
  EXPECT_THAT(Call(beacon_.queries(), &QueryStub::GetState, v1::GetStateRequest()).status.message(),
              HasSubstr("block: missing"));
}

TEST_F(QueriesTest, StateIsSummedUp) {
  beacon_.GoTo(1);
  const Root root = beacon_.Propose(1);
  const auto block = GetBlock(BySlot(1));
  const auto state = GetState(BySlot(1));
  ASSERT_TRUE(state.status.ok()) << state.status;
  EXPECT_EQ(state.response.block_root(), ToHex(root.span()));
  EXPECT_EQ(state.response.state_root(), block.response.state_root());
  EXPECT_EQ(state.response.slot(), 1u);
  EXPECT_EQ(state.response.genesis_time(), kGenesisTime);
  EXPECT_EQ(state.response.validator_count(), 4u);
  EXPECT_EQ(state.response.historical_block_hashes(), 1u);
  EXPECT_EQ(state.response.finalized().slot(), 0u);
  EXPECT_EQ(GetState(ByName(v1::BlockId::GENESIS)).response.state_root(), ToHex(beacon_.genesis().state_root.span()));
}

TEST_F(QueriesTest, ValidatorsArePaged) {
  v1::GetValidatorsRequest request;
  auto all = Call(beacon_.queries(), &QueryStub::GetValidators, request);
  ASSERT_TRUE(all.status.ok()) << all.status;
  EXPECT_EQ(all.response.total(), 4u);
  ASSERT_EQ(all.response.validators_size(), 4);
  EXPECT_EQ(all.response.validators(3).index(), 3u);
  EXPECT_EQ(all.response.validators(3).pubkey(), ToHex(beacon_.pubkey().span()));
  EXPECT_FALSE(all.response.validators(3).has_latest_vote_slot());

  beacon_.GoTo(1);
  beacon_.Propose(1);
  request.set_start(1);
  request.set_limit(2);
  auto page = Call(beacon_.queries(), &QueryStub::GetValidators, request);
  ASSERT_EQ(page.response.validators_size(), 2);
  EXPECT_EQ(page.response.validators(0).index(), 1u);
  EXPECT_EQ(page.response.validators(0).latest_vote_slot(), 1u);

  request.set_start(~uint64_t{0});
  EXPECT_EQ(Call(beacon_.queries(), &QueryStub::GetValidators, request).response.validators_size(), 0);
  request.set_limit(4097);
  EXPECT_EQ(rpc::ReasonOf(Call(beacon_.queries(), &QueryStub::GetValidators, request).status), "MALFORMED_REQUEST");
}

TEST_F(QueriesTest, ForkChoiceIsATreeWithWeights) {
  beacon_.GoTo(1);
  const std::string first = ToHex(beacon_.Propose(1).span());
  beacon_.GoTo(2);
  const std::string second = ToHex(beacon_.Propose(2).span());
  const auto tree = Call(beacon_.queries(), &QueryStub::GetForkChoice, v1::GetForkChoiceRequest());
  ASSERT_TRUE(tree.status.ok()) << tree.status;
  EXPECT_EQ(tree.response.head().root(), second);
  EXPECT_EQ(tree.response.total(), 3u);
  ASSERT_EQ(tree.response.nodes_size(), 3);
  EXPECT_EQ(tree.response.nodes(0).root(), GenesisRoot());
  EXPECT_EQ(tree.response.nodes(1).root(), first);
  EXPECT_EQ(tree.response.nodes(1).parent_root(), GenesisRoot());
  EXPECT_EQ(tree.response.nodes(1).weight(), 1u);  // the first proposer's vote counts by now
  EXPECT_EQ(tree.response.nodes(2).root(), second);
  EXPECT_EQ(tree.response.nodes(2).slot(), 2u);
  EXPECT_EQ(tree.response.nodes(2).proposer_index(), 2u);
  EXPECT_TRUE(tree.response.nodes(2).canonical());

  v1::GetForkChoiceRequest request;
  request.set_limit(1);
  const auto newest = Call(beacon_.queries(), &QueryStub::GetForkChoice, request);
  ASSERT_EQ(newest.response.nodes_size(), 1);
  EXPECT_EQ(newest.response.nodes(0).root(), second);
  EXPECT_EQ(newest.response.total(), 3u);
  request.set_limit(16385);
  EXPECT_EQ(rpc::ReasonOf(Call(beacon_.queries(), &QueryStub::GetForkChoice, request).status), "MALFORMED_REQUEST");
}

// A proposer's own vote is in its block; validator 3 of four does not vote.
TEST_F(QueriesTest, VotersAreToldBySlotAndByHead) {
  const auto none = Call(beacon_.queries(), &QueryStub::GetLatestVotes, v1::GetLatestVotesRequest());
  ASSERT_TRUE(none.status.ok()) << none.status;
  EXPECT_EQ(none.response.votes_size(), 0);

  beacon_.GoTo(1);
  const std::string first = ToHex(beacon_.Propose(1).span());
  beacon_.GoTo(1, 1);
  for (const uint64_t validator : {0, 2}) {
    v1::SubmitVoteRequest vote;
    *vote.mutable_vote() = beacon_.Vote(1, validator);
    ASSERT_EQ(Call(beacon_.duties(), &DutyStub::SubmitVote, vote).response.result().status(), v1::ACCEPTED);
  }
  beacon_.GoTo(2);
  const std::string second = ToHex(beacon_.Propose(2).span());

  const auto participation = Call(beacon_.queries(), &QueryStub::GetParticipation, v1::GetParticipationRequest());
  ASSERT_EQ(participation.response.slots_size(), 2);
  EXPECT_EQ(participation.response.slots(0).slot(), 1u);
  EXPECT_EQ(participation.response.slots(0).votes(), 3u);
  EXPECT_EQ(participation.response.slots(0).validators(), "0-2");
  EXPECT_EQ(participation.response.slots(1).slot(), 2u);
  EXPECT_EQ(participation.response.slots(1).validators(), "2");

  // The vote of validator 2 for slot 1 is replaced by its vote for slot 2.
  const auto votes = Call(beacon_.queries(), &QueryStub::GetLatestVotes, v1::GetLatestVotesRequest());
  ASSERT_EQ(votes.response.votes_size(), 2);
  EXPECT_EQ(votes.response.votes(0).slot(), 1u);
  EXPECT_EQ(votes.response.votes(0).head().root(), first);
  EXPECT_EQ(votes.response.votes(0).validators(), "0-1");
  EXPECT_EQ(votes.response.votes(1).slot(), 2u);
  EXPECT_EQ(votes.response.votes(1).head().root(), second);
  EXPECT_EQ(votes.response.votes(1).validators(), "2");
}

TEST_F(QueriesTest, SpecGenesisAndNodeAreTold) {
  const auto spec = Call(beacon_.queries(), &QueryStub::GetSpec, v1::GetSpecRequest());
  ASSERT_TRUE(spec.status.ok()) << spec.status;
  EXPECT_EQ(spec.response.network(), "test");
  EXPECT_EQ(spec.response.slot_duration_ms(), 4000u);
  EXPECT_EQ(spec.response.intervals_per_slot(), 4u);
  EXPECT_EQ(spec.response.max_attestations_per_block(), 4095u);
  EXPECT_EQ(spec.response.signature_bytes(), 3116u);
  EXPECT_EQ(spec.response.public_key_bytes(), 52u);
  EXPECT_EQ(spec.response.xmss_log_lifetime(), 8u);
  EXPECT_EQ(spec.response.signature_form(), "flat");

  const auto genesis = Call(beacon_.queries(), &QueryStub::GetGenesis, v1::GetGenesisRequest());
  ASSERT_TRUE(genesis.status.ok()) << genesis.status;
  EXPECT_EQ(genesis.response.genesis_time(), kGenesisTime);
  EXPECT_EQ(genesis.response.genesis_block_root(), GenesisRoot());
  EXPECT_EQ(genesis.response.genesis_state_root(), ToHex(beacon_.genesis().state_root.span()));
  EXPECT_EQ(genesis.response.validator_count(), 4u);

  beacon_.clock().Advance(std::chrono::milliseconds(1234));
  const auto node = Call(beacon_.queries(), &QueryStub::GetNodeInfo, v1::GetNodeInfoRequest());
  ASSERT_TRUE(node.status.ok()) << node.status;
  EXPECT_EQ(node.response.name(), "test-beacon");
  EXPECT_EQ(node.response.version(), Version());
  EXPECT_EQ(node.response.commit(), Commit());
  EXPECT_EQ(node.response.uptime_ms(), 1234u);
  EXPECT_EQ(node.response.rpc_address(), beacon_.rpc().address().ToString());
  EXPECT_FALSE(node.response.tls());
  EXPECT_EQ(node.response.genesis_block_root(), GenesisRoot());
}

}  // namespace
}  // namespace lean::beacon
