#include "beacon/network/gossip_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace lean::beacon {
namespace {

using testing::HasSubstr;

SignedBlockWithAttestation BlockWithVotes(size_t votes) {
  SignedBlockWithAttestation block;
  block.message.block.slot = 7;
  std::vector<Attestation> attestations(votes);
  for (size_t i = 0; i < votes; ++i) attestations[i].validator_id = i;
  block.message.block.body.attestations = Attestations::FromVector(std::move(attestations)).value();
  block.signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(votes + 1)).value();
  return block;
}

TEST(GossipCodec, BlocksComeBack) {
  for (const size_t votes : {0, 1, 300, 4095}) {
    const SignedBlockWithAttestation block = BlockWithVotes(votes);
    const auto decoded = DecodeBlock(EncodeBlock(block));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(**decoded, block);
  }
  EXPECT_LT(SerializeBlock(BlockWithVotes(4095)).size(), kMaxPayloadBytes);
}

TEST(GossipCodec, VotesComeBack) {
  SignedAttestation vote;
  vote.message.validator_id = 3;
  const std::string ssz = SerializeVote(vote);
  ASSERT_EQ(ssz.size(), kVoteBytes);
  const auto batch = Uncompress(Compress(ssz + ssz), kMaxPayloadBytes);
  ASSERT_TRUE(batch.ok());
  const auto parts = SplitVotes(*batch);
  ASSERT_TRUE(parts.ok());
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(**ParseVote(parts->at(1)), vote);
}

TEST(GossipCodec, BatchesHaveWholeVotesAndNotTooMany) {
  EXPECT_FALSE(SplitVotes("").ok());
  EXPECT_FALSE(SplitVotes(std::string(kVoteBytes - 1, 'x')).ok());
  EXPECT_FALSE(SplitVotes(std::string(kVoteBytes + 1, 'x')).ok());
  EXPECT_TRUE(SplitVotes(std::string(kVoteBytes * kMaxVotesInMessage, 'x')).ok());
  EXPECT_FALSE(SplitVotes(std::string(kVoteBytes * (kMaxVotesInMessage + 1), 'x')).ok());
}

TEST(GossipCodec, ABombIsRefusedByItsDeclaredSize) {
  // 4 GiB - 1, declared in five bytes, and nothing behind it.
  const std::string bomb("\xff\xff\xff\xff\x0f", 5);
  EXPECT_THAT(std::string(Uncompress(bomb, kMaxPayloadBytes).status().message()), HasSubstr("4294967295 bytes"));
  // Real ones: 100 MB of zeros in a few.
  const std::string zeros = Compress(std::string(100'000'000, '\0'));
  EXPECT_LT(zeros.size(), 6'000'000u);
  EXPECT_FALSE(DecodeBlock(zeros).ok());
}

TEST(GossipCodec, MalformedPayloadsAreErrors) {
  EXPECT_FALSE(DecodeBlock("").ok());
  EXPECT_FALSE(DecodeBlock("\xff\xff\xff\xff\xff\xff").ok());
  const std::string good = EncodeBlock(BlockWithVotes(2));
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(DecodeBlock(good.substr(0, size)).ok()) << size;
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = good;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    const auto decoded = DecodeBlock(damaged);
    if (!decoded.ok()) continue;
    EXPECT_EQ(SerializeBlock(**decoded).size(), Uncompress(damaged, kMaxPayloadBytes)->size());
  }
}

TEST(GossipCodec, KeysCoverTheSignature) {
  SignedAttestation vote;
  const Root key = ItemKey(SerializeVote(vote));
  vote.signature.data[0] ^= 1;
  EXPECT_NE(ItemKey(SerializeVote(vote)), key);
}

}  // namespace
}  // namespace lean::beacon
