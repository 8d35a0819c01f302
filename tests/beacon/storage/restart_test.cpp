// A chain that is stopped and started again from its folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "beacon/storage/database/schema.h"
#include "beacon/storage/verify.h"
#include "common/ssz/ssz.h"
#include "spdlog/spdlog.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

namespace lean::beacon {
namespace {

class RestartTest : public testing::Test {
 protected:
  std::unique_ptr<StoredChain> Open() {
    auto chain = StoredChain::Open(genesis_, {.folder = folder_.path(), .storage = storage_});
    EXPECT_TRUE(chain.ok()) << chain.status();
    return chain.ok() ? *std::move(chain) : nullptr;
  }

  const Genesis genesis_ = StorageTestGenesis(4);
  TemporaryFolder folder_;
  StorageOptions storage_{.snapshot_slots = 8};
};

TEST_F(RestartTest, TheChainGoesOnWhereItWas) {
  Checkpoint head;
  Checkpoint justified;
  Checkpoint finalized;
  size_t known_votes = 0;
  {
    auto chain = Open();
    chain->RunSlots(40);
    head = chain->chain().head();
    justified = chain->chain().justified();
    finalized = chain->chain().finalized();
    known_votes = chain->chain().known_votes().size();
    EXPECT_GT(finalized.slot, 30u);
  }
  auto chain = Open();
  EXPECT_EQ(chain->chain().head(), head);
  EXPECT_EQ(chain->chain().justified(), justified);
  EXPECT_EQ(chain->chain().finalized(), finalized);
  EXPECT_LT(chain->restored().replayed, 20u) << "it did not begin at a snapshot";
  chain->RunSlot();
  EXPECT_EQ(chain->chain().known_votes().size(), known_votes);
  chain->RunSlots(5);
  EXPECT_GT(chain->chain().finalized().slot, finalized.slot);
}

TEST_F(RestartTest, ABlockWithoutTheRestOfItsBatchIsIgnoredAndWrittenAgain) {
  TemporaryFolder other;
  SignedBlockPtr last;
  {
    auto chain = StoredChain::Open(genesis_, {.folder = other.path()});
    ASSERT_TRUE(chain.ok()) << chain.status();
    (*chain)->RunSlots(20);
    last = (*chain)->chain().SignedBlockOf((*chain)->chain().head().root);
  }
  const Root root = ssz::HashTreeRoot(last->message.block);
  Checkpoint head;
  {
    auto chain = Open();
    chain->RunSlots(19);
    head = chain->chain().head();
    chain->storage().Flush();
    WriteSet body;
    body.Put(Column::kBlocks, BlockKey(20, root), ssz::SerializeToString(*last));
    ASSERT_TRUE(chain->database().files().Write(body).ok());
  }
  {
    auto chain = Open();
    EXPECT_EQ(chain->chain().head(), head);
    EXPECT_FALSE(chain->chain().HasBlock(root));
    spdlog::logger log("none");
    const VerifyReport report = VerifyDatabase(chain->database(), log, [](uint64_t) {});
    EXPECT_TRUE(report.problems.empty()) << report.problems[0];
    chain->GoTo(20, 0);
    EXPECT_EQ(chain->Import(last).status, SubmitOutcome::kAccepted);
  }
  auto chain = Open();
  EXPECT_TRUE(chain->chain().HasBlock(root));
}

TEST_F(RestartTest, EveryBlockOfThePastCanStillBeRead) {
  {
    auto chain = Open();
    chain->RunSlots(30);
  }
  auto chain = Open();
  for (uint64_t slot = 1; slot <= 30; ++slot) {
    const Root root = chain->chain().CanonicalRoot(slot).value();
    const absl::StatusOr<SignedBlockPtr> block = chain->database().BlockByRoot(root);
    ASSERT_TRUE(block.ok()) << block.status();
    ASSERT_NE(*block, nullptr) << slot;
    EXPECT_EQ(ssz::HashTreeRoot((*block)->message.block), root);
  }
}

TEST_F(RestartTest, StatesOfThePastComeFromASnapshotAndTheBlocksSince) {
  {
    auto chain = Open();
    chain->RunSlots(30);
  }
  auto chain = Open();
  for (uint64_t slot = 0; slot <= chain->chain().finalized().slot; ++slot) {
    const Root root = chain->chain().CanonicalRoot(slot).value();
    const absl::StatusOr<StatePtr> state = chain->database().StateOf({.root = root, .slot = slot});
    ASSERT_TRUE(state.ok()) << state.status();
    ASSERT_NE(*state, nullptr) << slot;
    const absl::StatusOr<SignedBlockPtr> block = chain->database().BlockByRoot(root);
    const Root expected = slot == 0 ? genesis_.state_root : (*block)->message.block.state_root;
    EXPECT_EQ(ssz::HashTreeRoot(**state), expected) << slot;
  }
  EXPECT_EQ(*chain->database().StateOf({.root = Root{{7}}, .slot = 3}), nullptr);
}

TEST_F(RestartTest, OrphansStayKnownWithoutTheirStates) {
  Root orphan;
  Root late_orphan;
  {
    auto chain = Open();
    chain->RunSlots(3);
    chain->RunSlot(5);
    orphan = chain->AddOrphan(4, chain->chain().CanonicalRoot(3).value());
    chain->RunSlots(30);
    const uint64_t head = chain->chain().head().slot;
    chain->RunSlot(head + 2);
    late_orphan = chain->AddOrphan(head + 1, chain->chain().CanonicalRoot(head).value());
  }
  auto chain = Open();
  EXPECT_EQ(chain->chain().SlotOf(orphan), 4u);
  EXPECT_EQ(chain->chain().StateOf(orphan), nullptr);
  EXPECT_NE(chain->chain().StateOf(late_orphan), nullptr) << "it is above the snapshot";
  EXPECT_FALSE(chain->chain().IsCanonical(late_orphan));
  const absl::StatusOr<SignedBlockPtr> block = chain->database().BlockByRoot(orphan);
  ASSERT_TRUE(block.ok());
  EXPECT_NE(*block, nullptr);
}

TEST_F(RestartTest, VotesThatNoBlockCarriesAreRestored) {
  {
    auto chain = Open();
    chain->RunSlots(3);
  }
  // Everybody voted for the block of slot 3 in slot 3, and no block carries it yet.
  auto chain = Open();
  EXPECT_EQ(chain->restored().votes, 3u);
  for (uint64_t validator = 0; validator < 4; ++validator) {
    EXPECT_EQ(chain->chain().LatestVoteSlot(validator), 3u) << validator;
  }
}

TEST_F(RestartTest, AVoteWaitsForABlockThatContainsIt) {
  auto chain = Open();
  chain->RunSlots(5);
  chain->storage().Flush();
  EXPECT_TRUE(chain->database().Votes().value().empty()) << "blocks contain the votes of slots 1 to 4";
  EXPECT_EQ(chain->storage().queue().items, 3u) << "those of slot 5 wait";
  EXPECT_GT(chain->storage().queue().bytes, 3 * sizeof(SignedAttestation));
}

TEST_F(RestartTest, AVoteIsWrittenByItselfWhenNoBlockContainsItInTime) {
  storage_.vote_wait = std::chrono::milliseconds(0);
  auto chain = Open();
  chain->RunSlots(5);
  chain->storage().Flush();
  const std::vector<SignedVotePtr> votes = chain->database().Votes().value();
  const auto is_of_slot_5 = [](const SignedVotePtr& vote) { return vote->message.data.slot == 5; };
  EXPECT_EQ(std::count_if(votes.begin(), votes.end(), is_of_slot_5), 3) << "no block contains them yet";
}

TEST_F(RestartTest, AnOlderVoteDoesNotReplaceANewerOne) {
  for (const std::chrono::milliseconds wait : {std::chrono::milliseconds(0), std::chrono::milliseconds(1'000'000)}) {
    const TemporaryFolder folder;
    storage_.vote_wait = wait;
    {
      auto chain = StoredChain::Open(genesis_, {.folder = folder.path(), .storage = storage_}).value();
      for (const uint64_t slot : {10, 9}) {
        auto vote = std::make_shared<SignedAttestation>();
        vote->message.validator_id = 1;
        vote->message.data.slot = slot;
        chain->storage().VoteAccepted(vote);
        chain->storage().Flush();
      }
    }
    const auto database = ChainDatabase::Open({.path = folder.path()}, /*read_only=*/true).value();
    const std::vector<SignedVotePtr> votes = database->Votes().value();
    ASSERT_EQ(votes.size(), 1u);
    EXPECT_EQ(votes[0]->message.data.slot, 10u) << wait.count();
  }
}

TEST_F(RestartTest, RestartsAtAnySlotLeadToTheSameChain) {
  const TemporaryFolder other;
  auto straight = StoredChain::Open(genesis_, {.folder = other.path(), .storage = storage_}).value();
  for (uint64_t slot = 1; slot <= 14; ++slot) {
    auto chain = Open();
    chain->RunSlot(slot);
    straight->RunSlot(slot);
    // By slot: the order of the votes in a block is that in which validators were first heard of, which is not kept.
    ASSERT_EQ(chain->chain().head().slot, straight->chain().head().slot) << slot;
    ASSERT_EQ(chain->chain().finalized().slot, straight->chain().finalized().slot) << slot;
    ASSERT_EQ(chain->chain().known_votes().size(), straight->chain().known_votes().size()) << slot;
  }
}

TEST_F(RestartTest, ADamagedSnapshotIsReplacedByAnOlderOne) {
  Checkpoint head;
  {
    auto chain = Open();
    for (int i = 0; i < 4; ++i) {
      chain->RunSlots(10);
      chain->storage().Flush();
    }
    head = chain->chain().head();
    const std::vector<Checkpoint> snapshots = chain->database().Snapshots().value();
    ASSERT_GE(snapshots.size(), 2u);
    WriteSet writes;
    ChainDatabase::PutSnapshot(writes, snapshots.back(), *chain->chain().head_state());
    ASSERT_TRUE(chain->database().files().Write(writes).ok());
  }
  EXPECT_EQ(Open()->chain().head(), head);
}

TEST_F(RestartTest, AFinalizedBlockThatHasGoneIsSaidToBe) {
  {
    auto chain = Open();
    chain->RunSlots(12);
    chain->storage().Flush();
    const Checkpoint finalized = chain->chain().finalized();
    WriteSet writes;
    writes.Delete(Column::kBlocks, BlockKey(finalized.slot, finalized.root));
    const std::vector<Checkpoint> snapshots = chain->database().Snapshots().value();
    for (const Checkpoint& id : snapshots) {
      writes.Delete(Column::kStates, BlockKey(id.slot, id.root));
    }
    ASSERT_TRUE(chain->database().files().Write(writes).ok());
  }
  const auto again = StoredChain::Open(genesis_, {.folder = folder_.path(), .storage = storage_});
  EXPECT_TRUE(absl::IsDataLoss(again.status())) << again.status();
  EXPECT_TRUE(absl::StrContains(again.status().message(), "lean-beacon db verify")) << again.status();
}

}  // namespace
}  // namespace lean::beacon
