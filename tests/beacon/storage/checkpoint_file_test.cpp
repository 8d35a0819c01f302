#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/strings/match.h"
#include "beacon/storage/chain_files.h"
#include "common/ssz/ssz.h"
#include "tests/beacon/services/support/signed_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::beacon {
namespace {

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    for (uint64_t slot = 1; slot <= 6; ++slot) blocks_.push_back(source_.RunSlot(slot));
  }

  // What the chain has at a slot.
  CheckpointParts PartsAt(uint64_t slot) const {
    const SignedBlockPtr& block = blocks_[slot - 1];
    return {.block = *block, .state = *source_.chain().StateOf(SignedChain::RootOf(block))};
  }
  absl::StatusOr<Anchor> Check(CheckpointParts parts, const std::optional<Root>& root = std::nullopt) const {
    return CheckAnchor(std::move(parts), network_.genesis(), network_.scheme(), root);
  }
  void ExpectRefused(CheckpointParts parts, const std::optional<Root>& root, absl::string_view why) const {
    const absl::Status status = Check(std::move(parts), root).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), why)) << status;
  }

  const TestNetwork network_{4};
  SignedChain source_{network_};
  std::vector<SignedBlockPtr> blocks_;
};

TEST_F(CheckpointTest, ARightOneIsAnAnchorThatTheChainGoesOnFrom) {
  const Root root = SignedChain::RootOf(blocks_[2]);
  const absl::StatusOr<Anchor> anchor = Check(PartsAt(3), root);
  ASSERT_TRUE(anchor.ok()) << anchor.status();
  EXPECT_EQ(anchor->root, root);
  LeanChain chain = LeanChain::FromAnchor(anchor->state, anchor->block).value();
  for (uint64_t slot = 4; slot <= 6; ++slot) {
    chain.OnInterval(slot * kChainIntervalsPerSlot);
    EXPECT_TRUE(chain.OnBlock(blocks_[slot - 1]).ok()) << slot;
  }
}

TEST_F(CheckpointTest, WhatIsNotRightIsRefusedWithItsReason) {
  ExpectRefused(PartsAt(3), SignedChain::RootOf(blocks_[3]), "--checkpoint-root is");

  CheckpointParts parts = PartsAt(3);
  parts.state = PartsAt(4).state;
  ExpectRefused(std::move(parts), std::nullopt, "the state is not the post-state of the block");

  parts = PartsAt(3);
  parts.block.signature[0].data[9] ^= 1;
  const size_t last = parts.block.signature.size() - 1;
  EXPECT_TRUE(last == 0 || Check(parts).ok()) << "votes of the body are checked by whoever takes the block";
  parts.block.signature[last].data[9] ^= 2;
  ExpectRefused(std::move(parts), std::nullopt, "its proposer's signature");

  parts = PartsAt(3);
  parts.block.message.proposer_attestation.data.head.slot = 2;
  ExpectRefused(std::move(parts), std::nullopt, "checkpoint: the proposer's vote");

  const TestNetwork other(4 + 1);
  const absl::Status status = CheckAnchor(PartsAt(3), other.genesis(), other.scheme(), std::nullopt).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "its validators are not those of this network's genesis")) << status;
}

TEST_F(CheckpointTest, AFileGivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const CheckpointParts parts = PartsAt(5);
  ASSERT_TRUE(WriteCheckpointFile(folder.File("checkpoint"), parts.block, parts.state).ok());
  const absl::StatusOr<CheckpointParts> read = ReadCheckpointFile(folder.File("checkpoint"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->block, parts.block);
  EXPECT_EQ(read->state, parts.state);

  const absl::Status again = WriteCheckpointFile(folder.File("checkpoint"), *blocks_[0], parts.state);
  EXPECT_TRUE(absl::IsAlreadyExists(again)) << again;

  const std::string bytes = folder.Read("checkpoint");
  for (const size_t size : {size_t{0}, size_t{7}, size_t{12}, size_t{300}, bytes.size() - 1}) {
    const auto cut = ReadCheckpointFile(folder.Write("cut", bytes.substr(0, size)));
    EXPECT_TRUE(absl::IsInvalidArgument(cut.status())) << size << cut.status();
  }
  // A length that is a lie allocates nothing.
  const auto lie = ReadCheckpointFile(folder.Write("lie", "LEANCHK1" + std::string(8, '\xff')));
  EXPECT_TRUE(absl::IsInvalidArgument(lie.status())) << lie.status();
  EXPECT_TRUE(absl::IsNotFound(ReadCheckpointFile(folder.File("none")).status()));
  ASSERT_EQ(mkfifo(folder.File("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadCheckpointFile(folder.File("pipe")).status())) << "and it did not hang";
}

}  // namespace
}  // namespace lean::beacon
