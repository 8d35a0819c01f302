#include "validator_client/signing/duty_checks.h"

#include <functional>
#include <vector>

#include "absl/strings/match.h"
#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_beacon.h"

namespace lean::validator {
namespace {

constexpr uint64_t kSlot = 9;
constexpr uint64_t kProposer = 1;

AttestationData HonestVote() { return AttestationData{kSlot, {FakeRoot(3), 8}, {FakeRoot(2), 6}, {FakeRoot(1), 4}}; }

BuiltBlockAnswer HonestBlock() {
  BuiltBlockAnswer answer;
  answer.block.slot = kSlot;
  answer.block.proposer_index = kProposer;
  answer.block.parent_root = FakeRoot(4);
  answer.block.state_root = FakeRoot(5);
  EXPECT_TRUE(answer.block.body.attestations.push_back(Attestation{0, HonestVote()}));
  answer.attestation_signatures.resize(1);
  answer.proposer_attestation = Attestation{kProposer, HonestVote()};
  answer.proposer_attestation.data.head = Checkpoint{ssz::HashTreeRoot(answer.block), kSlot};
  return answer;
}

struct VoteLie {
  const char* name;
  std::function<void(AttestationData&)> tell;
  const char* refusal;
};

class VoteLies : public ::testing::TestWithParam<VoteLie> {};

TEST(CheckVoteData, TakesAnHonestVote) { EXPECT_TRUE(CheckVoteData(kSlot, HonestVote()).ok()); }

TEST(CheckVoteData, TakesTheVoteOfAChainThatHasOnlyGenesis) {
  const Checkpoint genesis{FakeRoot(1), 0};
  EXPECT_TRUE(CheckVoteData(kSlot, AttestationData{kSlot, genesis, genesis, genesis}).ok());
}

TEST_P(VoteLies, IsRefused) {
  AttestationData data = HonestVote();
  GetParam().tell(data);
  const absl::Status status = CheckVoteData(kSlot, data);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), GetParam().refusal);
}

INSTANTIATE_TEST_SUITE_P(
    CheckVoteData, VoteLies,
    ::testing::Values(
        VoteLie{"Slot", [](AttestationData& data) { data.slot = 10; }, "the vote is for slot 10, asked for slot 9"},
        VoteLie{"FutureHead", [](AttestationData& data) { data.head.slot = 10; },
                "the vote's head is at slot 10, past slot 9"},
        VoteLie{"TargetPastHead", [](AttestationData& data) { data.target.slot = 9; },
                "the vote's target at slot 9 is past its head at slot 8"},
        VoteLie{"SourcePastTarget", [](AttestationData& data) { data.source.slot = 7; },
                "the vote's source at slot 7 is past its target at slot 6"},
        VoteLie{"NoHead", [](AttestationData& data) { data.head.root = Root{}; }, "the vote's head has no root"},
        VoteLie{"HeadAndTarget", [](AttestationData& data) { data.target.root = data.head.root; },
                "head and target name one block at two slots, 8 and 6"},
        VoteLie{"HeadAndSource", [](AttestationData& data) { data.source.root = data.head.root; },
                "head and source name one block at two slots, 8 and 4"},
        VoteLie{"TargetAndSource", [](AttestationData& data) { data.source.root = data.target.root; },
                "target and source name one block at two slots, 6 and 4"}),
    [](const auto& info) { return info.param.name; });

struct BlockLie {
  const char* name;
  std::function<void(BuiltBlockAnswer&)> tell;
  const char* refusal;  // part of it
};

absl::Status Check(const BuiltBlockAnswer& answer) {
  return CheckBuiltBlock(kSlot, kProposer, answer.block, answer.attestation_signatures.size(),
                         answer.proposer_attestation);
}

class BlockLies : public ::testing::TestWithParam<BlockLie> {};

TEST(CheckBuiltBlock, TakesAnHonestBlock) {
  const absl::Status status = Check(HonestBlock());
  EXPECT_TRUE(status.ok()) << status;
}

TEST(CheckBuiltBlock, RefusesMoreVotesThanFitBesideTheProposers) {
  BuiltBlockAnswer answer = HonestBlock();
  while (answer.block.body.attestations.push_back(Attestation{0, HonestVote()})) {
  }
  answer.attestation_signatures.resize(answer.block.body.attestations.size());
  const absl::Status status = Check(answer);
  EXPECT_EQ(status.message(), "the block has 4096 votes, and no room for its proposer's");
}

TEST(CheckBuiltHeader, MakesTheSameChecksAsForAWholeBlock) {
  const BuiltBlockAnswer honest = HonestBlock();
  const BlockHeader header = HeaderOf(honest.block, ssz::HashTreeRoot(honest.block.body));
  const Attestation& vote = honest.proposer_attestation;
  EXPECT_TRUE(CheckBuiltHeader(kSlot, kProposer, header, vote).ok());
  EXPECT_FALSE(CheckBuiltHeader(kSlot + 1, kProposer, header, vote).ok());
  EXPECT_FALSE(CheckBuiltHeader(kSlot, kProposer + 1, header, vote).ok());
  const std::vector<std::function<void(BlockHeader&)>> lies = {
      [](BlockHeader& lie) { lie.parent_root = Root{}; },
      [](BlockHeader& lie) { lie.parent_root = FakeRoot(9); },
      [](BlockHeader& lie) { lie.state_root = FakeRoot(9); },
      [](BlockHeader& lie) { lie.body_root = FakeRoot(9); },
  };
  for (size_t i = 0; i < lies.size(); ++i) {
    BlockHeader lie = header;
    lies[i](lie);
    EXPECT_FALSE(CheckBuiltHeader(kSlot, kProposer, lie, vote).ok()) << i;
  }
}

TEST_P(BlockLies, IsRefused) {
  BuiltBlockAnswer answer = HonestBlock();
  GetParam().tell(answer);
  const absl::Status status = Check(answer);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), GetParam().refusal)) << status;
}

INSTANTIATE_TEST_SUITE_P(
    CheckBuiltBlock, BlockLies,
    ::testing::Values(
        BlockLie{"Slot", [](BuiltBlockAnswer& answer) { answer.block.slot = 10; },
                 "the block is for slot 10, asked for slot 9"},
        BlockLie{"Proposer", [](BuiltBlockAnswer& answer) { answer.block.proposer_index = 2; },
                 "the block is by proposer 2, asked for proposer 1"},
        BlockLie{"Parent", [](BuiltBlockAnswer& answer) { answer.block.parent_root = Root{}; },
                 "the block has no parent root"},
        BlockLie{"MissingSignature", [](BuiltBlockAnswer& answer) { answer.attestation_signatures.clear(); },
                 "the block has 1 votes and 0 signatures for them"},
        BlockLie{"ExtraSignature", [](BuiltBlockAnswer& answer) { answer.attestation_signatures.resize(2); },
                 "the block has 1 votes and 2 signatures for them"},
        BlockLie{"Voter", [](BuiltBlockAnswer& answer) { answer.proposer_attestation.validator_id = 0; },
                 "the proposer's vote is by validator 0, not by proposer 1"},
        BlockLie{"StateAfterTheRoot", [](BuiltBlockAnswer& answer) { answer.block.state_root = FakeRoot(9); },
                 "not the block itself"},
        BlockLie{"BodyAfterTheRoot",
                 [](BuiltBlockAnswer& answer) { answer.block.body.attestations[0].validator_id = 3; },
                 "not the block itself"},
        BlockLie{"HeadRoot", [](BuiltBlockAnswer& answer) { answer.proposer_attestation.data.head.root = FakeRoot(4); },
                 "the proposer's vote has head 0x0404…04, not the block itself"},
        BlockLie{"HeadSlot", [](BuiltBlockAnswer& answer) { answer.proposer_attestation.data.head.slot = 8; },
                 "the proposer's vote has its head at slot 8, the block is at slot 9"},
        BlockLie{"VoteSlot", [](BuiltBlockAnswer& answer) { answer.proposer_attestation.data.slot = 10; },
                 "in the proposer's vote: the vote is for slot 10, asked for slot 9"},
        BlockLie{"VoteSource", [](BuiltBlockAnswer& answer) { answer.proposer_attestation.data.source.slot = 7; },
                 "in the proposer's vote: the vote's source at slot 7 is past its target at slot 6"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lean::validator
