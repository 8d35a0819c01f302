#include "beacon/services/checks/edge_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "beacon/services/submit.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

constexpr uint64_t kValidators = 4;

SignedBlockWithAttestation GoodBlock(size_t votes = 1) {
  SignedBlockWithAttestation block;
  block.message.block.slot = 6;
  block.message.block.proposer_index = 2;
  block.message.block.body.attestations = Attestations::FromVector(std::vector<Attestation>(votes)).value();
  block.message.proposer_attestation.validator_id = 2;
  block.message.proposer_attestation.data.slot = 6;
  block.message.proposer_attestation.data.head = {.root = ssz::HashTreeRoot(block.message.block), .slot = 6};
  block.signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(votes + 1)).value();
  return block;
}

std::string Reason(const SignedBlockWithAttestation& block) {
  const std::optional<Refusal> refusal = CheckBlockAtEdge(block, ssz::HashTreeRoot(block.message.block), kValidators);
  if (!refusal.has_value()) return "";
  EXPECT_FALSE(refusal->message.empty());
  return std::string(refusal->reason);
}

TEST(EdgeChecks, AGoodBlockPasses) { EXPECT_EQ(Reason(GoodBlock()), ""); }

TEST(EdgeChecks, TheProposersVoteIsTiedToTheBlock) {
  SignedBlockWithAttestation block = GoodBlock();
  block.message.proposer_attestation.validator_id = 1;
  EXPECT_EQ(Reason(block), reason::kProposerVoteMismatch);
  block = GoodBlock();
  block.message.proposer_attestation.data.slot = 7;
  EXPECT_EQ(Reason(block), reason::kProposerVoteMismatch);
  block = GoodBlock();
  block.message.proposer_attestation.data.head.slot = 5;
  EXPECT_EQ(Reason(block), reason::kProposerVoteMismatch);
  block = GoodBlock();
  block.message.block.state_root.data[0] = 1;  // another block than the proposer voted for
  EXPECT_EQ(Reason(block), reason::kProposerVoteMismatch);
}

TEST(EdgeChecks, TheProposerIsTheSlotsOwn) {
  SignedBlockWithAttestation block = GoodBlock();
  block.message.block.proposer_index = 3;
  EXPECT_EQ(Reason(block), reason::kWrongProposer);
  block.message.block.proposer_index = 4;
  EXPECT_EQ(Reason(block), reason::kUnknownValidator);
}

TEST(EdgeChecks, EveryVoteIsOfAKnownValidator) {
  SignedBlockWithAttestation block = GoodBlock(2);
  block.message.block.body.attestations[1].validator_id = 4;
  block.message.proposer_attestation.data.head.root = ssz::HashTreeRoot(block.message.block);
  EXPECT_EQ(Reason(block), reason::kUnknownValidator);
}

TEST(EdgeChecks, OneSignatureForEachVoteAndOneForTheProposer) {
  for (size_t signatures : {0, 1, 3}) {
    SignedBlockWithAttestation block = GoodBlock();
    block.signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(signatures)).value();
    EXPECT_EQ(Reason(block), reason::kMalformed) << signatures;
  }
}

TEST(EdgeChecks, ABodyHasRoomForTheProposersSignature) {
  SignedBlockWithAttestation block = GoodBlock(4095);
  EXPECT_EQ(Reason(block), "");
  block.message.block.body.attestations = Attestations::FromVector(std::vector<Attestation>(4096)).value();
  EXPECT_EQ(Reason(block), reason::kTooLarge);
}

TEST(EdgeChecks, AVoteIsOfAKnownValidator) {
  EXPECT_FALSE(CheckVoteAtEdge({.validator_id = 3, .data = {}}, kValidators).has_value());
  EXPECT_EQ(CheckVoteAtEdge({.validator_id = 4, .data = {}}, kValidators)->reason, reason::kUnknownValidator);
  EXPECT_TRUE(CheckVoteAtEdge({.validator_id = UINT64_MAX, .data = {}}, kValidators).has_value());
}

TEST(EdgeChecks, ItemsAreAtMostOneSlotEarly) {
  EXPECT_FALSE(CheckSlotAtEdge(11, 10).has_value());
  EXPECT_EQ(CheckSlotAtEdge(12, 10)->reason, reason::kFutureSlot);
  EXPECT_TRUE(CheckSlotAtEdge(UINT64_MAX, 10).has_value());
  EXPECT_FALSE(CheckSlotAtEdge(0, -1).has_value());
  EXPECT_TRUE(CheckSlotAtEdge(0, -2).has_value());
  EXPECT_TRUE(CheckSlotAtEdge(1, -1).has_value());
}

}  // namespace
}  // namespace lean::beacon
