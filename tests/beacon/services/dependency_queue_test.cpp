#include "beacon/services/dependency_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/beacon/services/support/chain_source.h"

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using AddResult = DependencyQueue::AddResult;

WaitingItem Vote(uint64_t id, const Origin& origin = Origin::Local()) {
  return {.content = std::make_shared<const SignedAttestation>(), .root = RootOf(id), .origin = origin};
}

WaitingItem BlockOf(uint64_t id, const Origin& origin = Origin::Local(), size_t votes = 0) {
  auto block = std::make_shared<SignedBlockWithAttestation>();
  block->message.block.body.attestations = Attestations::FromVector(std::vector<Attestation>(votes)).value();
  block->signature = BlockSignatures::FromVector(std::vector<SignatureBytes>(votes + 1)).value();
  return {.content = std::move(block), .root = RootOf(id), .origin = origin};
}

std::vector<Root> Roots(const std::vector<DependencyQueue::Taken>& taken) {
  std::vector<Root> roots;
  for (const auto& entry : taken) roots.push_back(entry.item.root);
  return roots;
}

std::vector<Root> Roots(const std::vector<WaitingItem>& items) {
  std::vector<Root> roots;
  for (const WaitingItem& item : items) roots.push_back(item.root);
  return roots;
}

const Root kParent = RootOf(1000);
const Root kOther = RootOf(1001);

class DependencyQueueTest : public testing::Test {
 protected:
  AddResult Add(DependencyQueue& queue, WaitingItem item, const Dependency& dependency = kParent, int64_t slot = 0) {
    displaced_.clear();
    return queue.Add(std::move(item), dependency, slot, &displaced_);
  }

  std::vector<WaitingItem> displaced_;
};

TEST_F(DependencyQueueTest, ABlockReleasesWhatWaitsForItInOrder) {
  DependencyQueue queue({});
  EXPECT_EQ(Add(queue, Vote(1)), AddResult::kAdded);
  EXPECT_EQ(Add(queue, BlockOf(2), kOther), AddResult::kAdded);
  EXPECT_EQ(Add(queue, BlockOf(3)), AddResult::kAdded);
  EXPECT_EQ(queue.blocks(), 2u);
  EXPECT_EQ(queue.votes(), 1u);
  EXPECT_THAT(Roots(queue.TakeForBlock(kParent)), ElementsAre(RootOf(1), RootOf(3)));
  EXPECT_THAT(queue.TakeForBlock(kParent), IsEmpty());
  EXPECT_THAT(Roots(queue.TakeForBlock(kOther)), ElementsAre(RootOf(2)));
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(queue.blocks() + queue.votes(), 0u);
}

TEST_F(DependencyQueueTest, TwoBlocksOfOneRootWithDifferentProposersVotesBothWait) {
  DependencyQueue queue({});
  WaitingItem other = BlockOf(2);
  auto block = std::make_shared<SignedBlockWithAttestation>(*std::get<SignedBlockPtr>(other.content));
  block->message.proposer_attestation.data.source.slot = 7;
  other.content = SignedBlockPtr(block);
  EXPECT_EQ(Add(queue, BlockOf(2)), AddResult::kAdded);
  EXPECT_EQ(Add(queue, other), AddResult::kAdded);
  EXPECT_EQ(Add(queue, BlockOf(2)), AddResult::kAlreadyWaiting);
  EXPECT_EQ(Add(queue, other), AddResult::kAlreadyWaiting);
  EXPECT_EQ(queue.blocks(), 2u);
  std::vector<DependencyQueue::Taken> taken = queue.TakeForBlock(kParent);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_FALSE(queue.Contains(RootOf(2)));
  EXPECT_EQ(queue.AddBack(std::move(taken[0]), kOther, &displaced_), AddResult::kAdded);
  EXPECT_EQ(queue.AddBack(std::move(taken[1]), kOther, &displaced_), AddResult::kAdded);
  EXPECT_TRUE(queue.Contains(RootOf(2)));
}

TEST_F(DependencyQueueTest, ASlotReleasesWhatWaitsForItAndForEarlierOnes) {
  DependencyQueue queue({});
  Add(queue, Vote(1), int64_t{3});
  Add(queue, Vote(2), int64_t{2});
  Add(queue, Vote(3), int64_t{4});
  EXPECT_THAT(queue.TakeForSlot(1), IsEmpty());
  EXPECT_THAT(Roots(queue.TakeForSlot(3)), ElementsAre(RootOf(1), RootOf(2)));
  EXPECT_THAT(Roots(queue.TakeForSlot(100)), ElementsAre(RootOf(3)));
}

TEST_F(DependencyQueueTest, AnItemPutBackKeepsItsPlaceAndItsAge) {
  DependencyQueue queue({.expiry_slots = 4});
  Add(queue, Vote(1), kParent, 10);
  Add(queue, Vote(2), kOther, 11);
  std::vector<DependencyQueue::Taken> taken = queue.TakeForBlock(kParent);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(queue.AddBack(std::move(taken[0]), kOther, &displaced_), AddResult::kAdded);
  EXPECT_THAT(Roots(queue.TakeExpired(14)), ElementsAre(RootOf(1)));
  EXPECT_THAT(Roots(queue.TakeForBlock(kOther)), ElementsAre(RootOf(2)));
}

TEST_F(DependencyQueueTest, ItemsExpire) {
  DependencyQueue queue({.expiry_slots = 8});
  Add(queue, Vote(1), kParent, 10);
  Add(queue, Vote(2), int64_t{11}, 12);
  EXPECT_THAT(queue.TakeExpired(17), IsEmpty());
  EXPECT_THAT(Roots(queue.TakeExpired(18)), ElementsAre(RootOf(1)));
  EXPECT_THAT(Roots(queue.TakeExpired(100)), ElementsAre(RootOf(2)));
  EXPECT_THAT(queue.TakeForBlock(kParent), IsEmpty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST_F(DependencyQueueTest, ACopyIsNotHeldTwice) {
  DependencyQueue queue({});
  EXPECT_EQ(Add(queue, Vote(1)), AddResult::kAdded);
  EXPECT_EQ(Add(queue, Vote(1)), AddResult::kAlreadyWaiting);
  EXPECT_EQ(queue.votes(), 1u);
}

TEST_F(DependencyQueueTest, OneOriginAloneMayFillTheQueueAndNoMore) {
  DependencyQueue queue({.max_items = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Add(queue, Vote(i)), AddResult::kAdded);
  EXPECT_EQ(Add(queue, Vote(3)), AddResult::kFull);
  EXPECT_THAT(displaced_, IsEmpty());
  EXPECT_THAT(Roots(queue.TakeForBlock(kParent)), ElementsAre(RootOf(0), RootOf(1), RootOf(2)));
}

TEST_F(DependencyQueueTest, ANewcomerDisplacesTheNewestItemsOfWhoeverHoldsMost) {
  DependencyQueue queue({.max_items = 5});
  for (int i = 0; i < 4; ++i) Add(queue, Vote(i, Origin::Peer(1)));
  Add(queue, Vote(10, Origin::Peer(2)));
  EXPECT_EQ(Add(queue, Vote(20, Origin::Peer(3))), AddResult::kAdded);
  EXPECT_THAT(Roots(displaced_), ElementsAre(RootOf(3)));
  EXPECT_EQ(Add(queue, Vote(21, Origin::Peer(3))), AddResult::kAdded);
  EXPECT_THAT(Roots(displaced_), ElementsAre(RootOf(2)));
  // Peer 1 holds two now, as many as peer 3: nobody holds more than peer 3 would.
  EXPECT_EQ(Add(queue, Vote(22, Origin::Peer(3))), AddResult::kFull);
  EXPECT_THAT(Roots(queue.TakeForBlock(kParent)),
              ElementsAre(RootOf(0), RootOf(1), RootOf(10), RootOf(20), RootOf(21)));
}

TEST_F(DependencyQueueTest, BytesAreBoundedToo) {
  const size_t block_bytes = BlockOf(0, Origin::Local(), 10).bytes();
  DependencyQueue queue({.max_bytes = 3 * block_bytes});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Add(queue, BlockOf(i, Origin::Peer(1), 10)), AddResult::kAdded);
  EXPECT_EQ(Add(queue, Vote(9, Origin::Peer(1))), AddResult::kFull);
  EXPECT_EQ(Add(queue, Vote(10, Origin::Peer(2))), AddResult::kAdded);
  EXPECT_THAT(Roots(displaced_), ElementsAre(RootOf(2)));
  EXPECT_EQ(Add(queue, BlockOf(11, Origin::Peer(2), 100)), AddResult::kFull);
  EXPECT_THAT(displaced_, IsEmpty());
  EXPECT_LE(queue.bytes(), 3 * block_bytes);
}

TEST_F(DependencyQueueTest, ACopyFromALessLoadedOriginIsSafeFromTheFirstOnesFlood) {
  DependencyQueue queue({.max_items = 4});
  for (int i = 0; i < 3; ++i) Add(queue, Vote(i, Origin::Peer(1)));
  Add(queue, Vote(7, Origin::Peer(1)));
  // The honest one's copy; without the change of charge, the next newcomer would displace it as the flood's newest.
  EXPECT_EQ(Add(queue, Vote(7, Origin::Peer(2))), AddResult::kAlreadyWaiting);
  EXPECT_EQ(Add(queue, Vote(20, Origin::Peer(3))), AddResult::kAdded);
  EXPECT_THAT(Roots(displaced_), ElementsAre(RootOf(2)));
}

TEST_F(DependencyQueueTest, AnItemLargerThanTheQueueIsTurnedAway) {
  DependencyQueue queue({.max_bytes = 1000});
  Add(queue, BlockOf(1, Origin::Peer(1)));
  EXPECT_EQ(Add(queue, BlockOf(2, Origin::Peer(2), 50)), AddResult::kFull);
}

}  // namespace
}  // namespace lean::beacon
