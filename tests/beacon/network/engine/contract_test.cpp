#include "beacon/network/engine/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "beacon/network/engine/item_codec.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/network/plain_items.h"

namespace lean::beacon {
namespace {

SignedBlockWithAttestation BlockWithVotes(size_t votes) {
  SignedBlockWithAttestation block;
  block.message.block.slot = 7;
  std::vector<Attestation> attestations(votes);
  for (size_t i = 0; i < votes; ++i) attestations[i].validator_id = i;
  block.message.block.body.attestations = Attestations::FromVector(std::move(attestations)).value();
  block.signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(votes + 1)).value();
  return block;
}

TEST(ItemCodec, BlocksComeBackAndTheLargestFitsIntoAMessage) {
  for (const size_t votes : {0, 1, 300, 4095}) {
    const SignedBlockWithAttestation block = BlockWithVotes(votes);
    const auto parsed = ParseItem<SignedBlockWithAttestation>(ssz::SerializeToString(block));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(**parsed, block);
  }
  EXPECT_LT(ssz::SerializeToString(BlockWithVotes(4095)).size(), (size_t{16} << 20) - (size_t{64} << 10));
}

TEST(ItemCodec, VotesComeBack) {
  SignedAttestation vote;
  vote.message.validator_id = 3;
  const std::string ssz = ssz::SerializeToString(vote);
  const auto parsed = ParseItem<SignedAttestation>(ssz);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(**parsed, vote);
  EXPECT_FALSE(ParseItem<SignedAttestation>(ssz + "x").ok());
  EXPECT_FALSE(ParseItem<SignedBlockWithAttestation>(ssz).ok());
}

TEST(ItemCodec, DamagedBytesAreErrorsOrAnotherItem) {
  const auto check = [](const std::string& bytes) {
    const auto parsed = ParseItem<SignedBlockWithAttestation>(bytes);
    if (parsed.ok()) {
      EXPECT_EQ(ssz::SerializeToString(**parsed), bytes);
    }
  };
  const std::string good = ssz::SerializeToString(BlockWithVotes(2));
  for (size_t size = 0; size < good.size(); ++size) check(good.substr(0, size));
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = good;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    check(damaged);
  }
}

TEST(AskedBlocksTest, AnAnswerHoldsWhatWasAskedFor) {
  const AskedBlocks range{.roots = {}, .first_slot = 2, .count = 3};
  EXPECT_TRUE(CheckAnswered(range, {PlainBlock(2), PlainBlock(3), PlainBlock(4)}).ok());
  EXPECT_TRUE(CheckAnswered(range, {}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(1)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(5)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(3), PlainBlock(2)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(3), PlainBlock(3)}).ok());
  EXPECT_FALSE(CheckAnswered(range, {PlainBlock(2), PlainBlock(3), PlainBlock(4), PlainBlock(4)}).ok());
  const auto root = [](uint64_t slot) { return ssz::HashTreeRoot(PlainBlock(slot)->message.block); };
  const AskedBlocks roots{.roots = {root(1), root(2)}};
  EXPECT_TRUE(CheckAnswered(roots, {PlainBlock(2), PlainBlock(1)}).ok());
  EXPECT_FALSE(CheckAnswered(roots, {PlainBlock(3)}).ok());
  EXPECT_FALSE(CheckAnswered(roots, {PlainBlock(1), PlainBlock(1)}).ok());
}

}  // namespace
}  // namespace lean::beacon
