#include "common/rpc/wire/convert.h"

#include "common/containers/limits.h"
#include "common/rpc/wire/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::rpc {
namespace {

using ::testing::HasSubstr;

template <typename B>
B Filled(uint8_t byte) {
  B bytes;
  bytes.data.fill(byte);
  return bytes;
}

AttestationData SomeData() {
  return {.slot = 7,
          .head = {Filled<Root>(1), 6},
          .target = {Filled<Root>(2), 5},
          .source = {Filled<Root>(3), ~uint64_t{0}}};
}

SignedBlockWithAttestation SomeBlock(size_t votes) {
  SignedBlockWithAttestation block;
  block.message.block = {
      .slot = 9, .proposer_index = 4, .parent_root = Filled<Root>(5), .state_root = Filled<Root>(6), .body = {}};
  for (size_t i = 0; i < votes; ++i) {
    EXPECT_TRUE(block.message.block.body.attestations.push_back({i, SomeData()}));
    EXPECT_TRUE(block.signature.push_back(Filled<SignatureBytes>(static_cast<uint8_t>(i))));
  }
  block.message.proposer_attestation = {4, SomeData()};
  EXPECT_TRUE(block.signature.push_back(Filled<SignatureBytes>(0xff)));
  return block;
}

TEST(ConvertTest, VotesComeBackAsTheyWere) {
  const SignedAttestation vote{{11, SomeData()}, Filled<SignatureBytes>(9)};
  const auto back = FromProto(ToProto(vote));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, vote);
}

TEST(ConvertTest, BlocksComeBackAsTheyWere) {
  for (const size_t votes : {size_t{0}, size_t{3}, static_cast<size_t>(kMaxVotesInBody)}) {
    const SignedBlockWithAttestation block = SomeBlock(votes);
    const auto back = FromProto(ToProto(block));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, block);
  }
}

struct Damage {
  const char* name;
  void (*apply)(v1::SignedBlock&);
  const char* message;
};

class DamagedBlockTest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedBlockTest, IsRefusedByTheFieldsName) {
  v1::SignedBlock block = ToProto(SomeBlock(3));
  GetParam().apply(block);
  const auto converted = FromProto(block);
  ASSERT_FALSE(converted.ok());
  EXPECT_EQ(converted.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(converted.status()), "MALFORMED_REQUEST");
  EXPECT_THAT(converted.status().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedBlockTest,
    ::testing::Values(
        Damage{"NoBlock", [](v1::SignedBlock& b) { b.clear_block(); }, "block: missing"},
        Damage{"NoProposerVote", [](v1::SignedBlock& b) { b.clear_proposer_attestation(); },
               "proposer_attestation: missing"},
        Damage{"ProposerVoteWithoutData", [](v1::SignedBlock& b) { b.mutable_proposer_attestation()->clear_data(); },
               "proposer_attestation.data: missing"},
        Damage{"ShortParentRoot", [](v1::SignedBlock& b) { b.mutable_block()->set_parent_root("abc"); },
               "block.parent_root: 3 bytes, expected 32"},
        Damage{"LongStateRoot", [](v1::SignedBlock& b) { b.mutable_block()->set_state_root(std::string(33, 'x')); },
               "block.state_root: 33 bytes, expected 32"},
        Damage{"NoRootInAVote",
               [](v1::SignedBlock& b) {
                 b.mutable_block()->mutable_attestations(2)->mutable_data()->mutable_target()->clear_root();
               },
               "block.attestations[2].data.target.root: 0 bytes, expected 32"},
        Damage{"NoSourceInAVote",
               [](v1::SignedBlock& b) { b.mutable_block()->mutable_attestations(1)->mutable_data()->clear_source(); },
               "block.attestations[1].data.source: missing"},
        Damage{"NoHeadInAVote",
               [](v1::SignedBlock& b) { b.mutable_block()->mutable_attestations(0)->mutable_data()->clear_head(); },
               "block.attestations[0].data.head: missing"},
        Damage{"ShortSignature", [](v1::SignedBlock& b) { b.mutable_signatures(1)->pop_back(); },
               "signatures[1]: 3115 bytes, expected 3116"},
        Damage{"ASignatureMissing", [](v1::SignedBlock& b) { b.mutable_signatures()->RemoveLast(); },
               "signatures: 3, expected 4"},
        Damage{"ASignatureTooMany", [](v1::SignedBlock& b) { b.add_signatures(std::string(3116, 'x')); },
               "signatures: 5, expected 4"}),
    [](const auto& info) { return info.param.name; });

TEST(ConvertTest, ABodyOver4095VotesIsRefused) {
  v1::Block block;
  block.set_parent_root(std::string(32, 'p'));
  block.set_state_root(std::string(32, 's'));
  for (size_t i = 0; i <= kMaxVotesInBody; ++i) *block.add_attestations() = ToProto(Attestation{i, SomeData()});
  const auto converted = FromProto(block);
  EXPECT_THAT(converted.status().message(), HasSubstr("attestations: 4096 votes, at most 4095"));
}

TEST(ConvertTest, AVoteWithoutItsPartsIsRefused) {
  EXPECT_THAT(FromProto(v1::SignedAttestation()).status().message(), HasSubstr("attestation: missing"));
  v1::SignedAttestation vote = ToProto(SignedAttestation{{1, SomeData()}, {}});
  vote.clear_signature();
  EXPECT_THAT(FromProto(vote).status().message(), HasSubstr("signature: 0 bytes, expected 3116"));
}

}  // namespace
}  // namespace lean::rpc
