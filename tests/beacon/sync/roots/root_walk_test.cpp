#include "beacon/sync/roots/root_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Blocks of slots first, first + 1, ..., last, each on the one before; the first one on `base`.
class FakeChain {
 public:
  FakeChain(const Root& base, uint64_t first, uint64_t last) : base_(base) {
    Root parent = base;
    for (uint64_t slot = first; slot <= last; ++slot) {
      auto block = std::make_shared<SignedBlockWithAttestation>();
      block->message.block.slot = slot;
      block->message.block.parent_root = parent;
      block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(2)).value();
      parent = ssz::HashTreeRoot(block->message.block);
      head_ = {.root = parent, .slot = slot};
      bytes_ = BytesOf(*block);
      blocks_[parent] = std::move(block);
    }
  }

  const Checkpoint& head() const { return head_; }
  size_t block_bytes() const { return bytes_; }
  std::vector<SignedBlockPtr> Answer(const std::vector<Root>& roots) const {
    std::vector<SignedBlockPtr> blocks;
    for (const Root& root : roots) {
      const auto found = blocks_.find(root);
      if (found != blocks_.end()) blocks.push_back(found->second);
    }
    return blocks;
  }
  RootWalk::Known known() const {
    return [this](const Root& root) { return root == base_; };
  }

 private:
  const Root base_;
  std::map<Root, SignedBlockPtr> blocks_;
  Checkpoint head_;
  size_t bytes_ = 0;
};

Root BaseRoot() {
  Root root;
  root.data[0] = 1;
  return root;
}

// Two thousand blocks of which a tenth may be in memory at once.
TEST(RootWalkTest, ALongChainTakesBoundedMemory) {
  constexpr uint64_t kSlots = 2000;
  const FakeChain chain(BaseRoot(), 1, kSlots);
  const size_t budget = 200 * chain.block_bytes();
  RootWalk walk(chain.head(), 0, {.max_bytes_held = budget, .request_bytes = 20 * chain.block_bytes()});
  uint64_t next = 1;
  size_t requests = 0;
  while (!walk.finished()) {
    const std::vector<Root> roots = walk.Next();
    if (!roots.empty()) {
      ++requests;
      ASSERT_TRUE(walk.Answered(chain.Answer(roots), chain.known()).ok());
    }
    ASSERT_LE(walk.bytes_held(), budget);
    for (const SignedBlockPtr& block : walk.Take(16 * chain.block_bytes())) {
      ASSERT_EQ(block->message.block.slot, next++);
    }
  }
  EXPECT_EQ(next, kSlots + 1);
  EXPECT_EQ(walk.bytes_held(), 0u);
  EXPECT_GE(requests, kSlots);
  EXPECT_LE(requests, kSlots + kSlots / 4) << "forward, several are asked for at once";
}

TEST(RootWalkTest, NothingIsHandedOutBeforeAKnownBlock) {
  const FakeChain chain(BaseRoot(), 5, 7);
  RootWalk walk(chain.head(), 4, {});
  for (uint64_t slot = 7; slot >= 5; --slot) {
    EXPECT_FALSE(walk.connected());
    EXPECT_THAT(walk.Take(1 << 20), IsEmpty());
    const std::vector<Root> roots = walk.Next();
    ASSERT_EQ(roots.size(), 1u);
    EXPECT_THAT(walk.Next(), IsEmpty()) << "an answer is waited for";
    walk.Failed();
    EXPECT_EQ(walk.Next(), roots) << "asked again";
    ASSERT_TRUE(walk.Answered(chain.Answer(roots), chain.known()).ok());
    EXPECT_EQ(walk.lowest_slot(), slot);
  }
  EXPECT_TRUE(walk.connected());
  EXPECT_EQ(walk.Take(1).size(), 1u) << "one at least";
  EXPECT_EQ(walk.Take(1 << 20).size(), 2u);
  EXPECT_TRUE(walk.finished());
}

TEST(RootWalkTest, WhatIsNoChainOnOursEndsIt) {
  const FakeChain chain(BaseRoot(), 3, 6);
  RootWalk missing(chain.head(), 2, {});
  missing.Next();
  EXPECT_TRUE(absl::IsNotFound(missing.Answered({}, chain.known())));

  RootWalk below(chain.head(), 5, {});
  ASSERT_TRUE(below.Answered(chain.Answer(below.Next()), chain.known()).ok());
  EXPECT_TRUE(absl::IsOutOfRange(below.Answered(chain.Answer(below.Next()), chain.known())));

  // Its slots do not descend: the head is said to be of a lower slot than it is.
  RootWalk lying({.root = chain.head().root, .slot = 4}, 2, {});
  EXPECT_TRUE(absl::IsInvalidArgument(lying.Answered(chain.Answer(lying.Next()), chain.known())));
}

TEST(RootWalkTest, APartOfWhatIsAskedForAgainIsTaken) {
  const FakeChain chain(BaseRoot(), 1, 10);
  RootWalk walk(chain.head(), 0, {.max_bytes_held = 2 * chain.block_bytes()});
  while (!walk.connected()) ASSERT_TRUE(walk.Answered(chain.Answer(walk.Next()), chain.known()).ok());
  EXPECT_EQ(walk.Take(1 << 20).size(), 2u);
  std::vector<Root> roots = walk.Next();
  ASSERT_EQ(roots.size(), 2u) << "as many as may be held";
  std::vector<SignedBlockPtr> blocks = chain.Answer(roots);
  blocks.pop_back();
  ASSERT_TRUE(walk.Answered(blocks, chain.known()).ok());
  EXPECT_EQ(walk.Take(1 << 20).front()->message.block.slot, 3u);
  roots = walk.Next();
  EXPECT_TRUE(absl::IsNotFound(walk.Answered({}, chain.known())));
}

}  // namespace
}  // namespace lean::beacon
