#include "validator_client/signing/records/records_merge.h"

#include <map>
#include <set>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/signing/records/records_test_support.h"

namespace lean::validator {
namespace {

class RecordsMergeTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteSigningRecords> New(const std::string& name) { return OpenOrFail(folder_.path() + "/" + name); }

  TemporaryFolder folder_;
};

TEST_F(RecordsMergeTest, WhatOneMachineSignedTheOtherRefuses) {
  auto here = New("here");
  for (uint64_t slot = 10; slot < 20; slot += 2) ASSERT_TRUE(Granted(*here, 1, slot, slot));
  auto there = New("there");
  const auto summary = there->Import(*here->Export());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->keys, 1);
  EXPECT_EQ(summary->new_keys, 1);
  EXPECT_EQ(summary->new_leaves, 5);
  EXPECT_EQ(summary->closed_leaves, 0);
  for (uint64_t slot = 0; slot <= 18; ++slot) EXPECT_FALSE(Granted(*there, 1, slot, 99)) << slot;
  EXPECT_TRUE(Granted(*there, 1, 18, 18)) << "the same root again";
  EXPECT_TRUE(Granted(*there, 1, 19, 99));
}

TEST_F(RecordsMergeTest, ALeafWithTwoRootsSignsNeither) {
  auto records = New("records");
  ASSERT_TRUE(Granted(*records, 1, 7, 1));
  const auto summary = records->Import({{TestPubkey(1), {{7, TestRoot(2)}}}});
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->closed_leaves, 1);
  EXPECT_FALSE(Granted(*records, 1, 7, 1));
  EXPECT_FALSE(Granted(*records, 1, 7, 2));
  EXPECT_TRUE(Granted(*records, 1, 8, 1)) << "the key goes on";
  // Another import of one of them does not change that.
  ASSERT_TRUE(records->Import({{TestPubkey(1), {{7, TestRoot(1)}}}}).ok());
  EXPECT_FALSE(Granted(*records, 1, 7, 1));
  EXPECT_EQ(records->Export()->at(0).leaves.at(0), (SignedLeaf{7, std::nullopt}));
}

TEST_F(RecordsMergeTest, TwoRootsWithinOneFileCloseTheLeaf) {
  auto records = New("records");
  ASSERT_TRUE(records
                  ->Import({{TestPubkey(1), {{7, TestRoot(1)}, {9, TestRoot(1)}}},
                            {TestPubkey(1), {{9, TestRoot(2)}, {7, TestRoot(1)}}}})
                  .ok());
  EXPECT_TRUE(Granted(*records, 1, 7, 1));
  EXPECT_FALSE(Granted(*records, 1, 9, 1));
  EXPECT_FALSE(Granted(*records, 1, 9, 2));
}

TEST_F(RecordsMergeTest, AnUnknownRootRefusesEveryRoot) {
  auto records = New("records");
  ASSERT_TRUE(records->Import({{TestPubkey(1), {{7, std::nullopt}}}}).ok());
  EXPECT_EQ(*records->HighestSlot(TestPubkey(1)), 7);
  EXPECT_FALSE(Granted(*records, 1, 7, 1));
  EXPECT_FALSE(Granted(*records, 1, 6, 1));
  EXPECT_TRUE(Granted(*records, 1, 8, 1));
}

TEST_F(RecordsMergeTest, ALeafBelowTheHighestIsNotOpenedByAnImport) {
  auto records = New("records");
  ASSERT_TRUE(Granted(*records, 1, 9, 1));
  ASSERT_TRUE(records->Import({{TestPubkey(1), {{5, TestRoot(3)}}}}).ok());
  EXPECT_FALSE(Granted(*records, 1, 5, 3)) << "what signed it before may have been another root";
}

TEST_F(RecordsMergeTest, AKeyWithoutLeavesLeavesNoRecord) {
  auto records = New("records");
  ASSERT_TRUE(records->Import({{TestPubkey(1), {}}}).ok());
  EXPECT_EQ(*records->HighestSlot(TestPubkey(1)), std::nullopt);
}

// All requests for a few keys and their answers. Uses a copy, because a granted request is recorded.
using Grants = std::set<std::tuple<uint8_t, uint64_t, uint8_t>>;

constexpr uint8_t kKeys = 2;
constexpr uint64_t kSlots = 6;
constexpr uint8_t kRoots = 3;

Grants WouldGrant(const std::vector<KeyHistory>& histories) {
  Grants grants;
  std::map<PublicKeyBytes, std::pair<uint64_t, std::map<uint64_t, std::optional<Root>>>> known;
  for (const KeyHistory& history : histories) {
    auto& [highest, roots] = known[history.pubkey];
    for (const SignedLeaf& leaf : history.leaves) {
      highest = std::max(highest, leaf.slot);
      roots[leaf.slot] = leaf.root;
    }
  }
  for (uint8_t key = 0; key < kKeys; ++key) {
    for (uint64_t slot = 0; slot < kSlots; ++slot) {
      for (uint8_t root = 0; root < kRoots; ++root) {
        const auto found = known.find(TestPubkey(key));
        const bool granted = found == known.end() || slot > found->second.first ||
                             (found->second.second.contains(slot) && found->second.second.at(slot) == TestRoot(root));
        if (granted) grants.insert({key, slot, root});
      }
    }
  }
  return grants;
}

std::vector<KeyHistory> AnyHistories() {
  std::vector<KeyHistory> histories;
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) {
    KeyHistory history{TestPubkey(*rc::gen::inRange<uint8_t>(0, kKeys)), {}};
    const int leaves = *rc::gen::inRange(0, 5);
    for (int j = 0; j < leaves; ++j) {
      SignedLeaf leaf{*rc::gen::inRange<uint64_t>(0, kSlots), std::nullopt};
      if (*rc::gen::inRange(0, 4) > 0) leaf.root = TestRoot(*rc::gen::inRange<uint8_t>(0, kRoots));
      history.leaves.push_back(leaf);
    }
    histories.push_back(history);
  }
  return histories;
}

RC_GTEST_PROP(RecordsMerge, ImportsNeverGrantMoreAndChangeNothingTheSecondTime, ()) {
  TemporaryFolder folder;
  auto records = OpenOrFail(folder.path() + "/records");
  std::map<std::pair<uint8_t, uint64_t>, uint8_t> signed_roots;
  const int steps = *rc::gen::inRange(1, 6);
  for (int i = 0; i < steps; ++i) {
    const Grants before = WouldGrant(*records->Export());
    if (*rc::gen::arbitrary<bool>()) {
      const uint8_t key = *rc::gen::inRange<uint8_t>(0, kKeys);
      const uint64_t slot = *rc::gen::inRange<uint64_t>(0, kSlots);
      const uint8_t root = *rc::gen::inRange<uint8_t>(0, kRoots);
      const bool granted = Granted(*records, key, slot, root);
      RC_ASSERT(granted == before.contains({key, slot, root}));
      if (granted) RC_ASSERT(signed_roots.try_emplace({key, slot}, root).first->second == root);
    } else {
      const std::vector<KeyHistory> histories = AnyHistories();
      RC_ASSERT(records->Import(histories).ok());
      const std::vector<KeyHistory> once = *records->Export();
      for (const KeyHistory& history : histories) {
        for (const SignedLeaf& leaf : history.leaves) {
          for (uint8_t root = 0; root < kRoots; ++root) {
            if (leaf.root == TestRoot(root)) continue;
            for (uint8_t key = 0; key < kKeys; ++key) {
              if (history.pubkey == TestPubkey(key)) RC_ASSERT(!WouldGrant(once).contains({key, leaf.slot, root}));
            }
          }
        }
      }
      RC_ASSERT(records->Import(histories).ok());
      RC_ASSERT(*records->Export() == once);
    }
    const Grants after = WouldGrant(*records->Export());
    RC_ASSERT(std::includes(before.begin(), before.end(), after.begin(), after.end()));
  }
}

}  // namespace
}  // namespace lean::validator
