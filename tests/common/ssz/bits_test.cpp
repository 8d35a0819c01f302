#include "common/ssz/bits.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"
#include "tests/common/ssz/naive_root.h"

namespace lean::ssz {
namespace {

using ssz_test::BitsOf;

std::vector<bool> ToBools(const Bits& bits) {
  std::vector<bool> bools;
  for (size_t i = 0; i < bits.size(); ++i) bools.push_back(bits[i]);
  return bools;
}

TEST(BitsTest, PacksTheLowestBitFirst) {
  Bits bits(300);
  bits.Set(0, true);
  bits.Set(9, true);
  bits.Set(256, true);
  ASSERT_EQ(bits.chunks().size(), 2u);
  EXPECT_EQ(bits.chunks()[0].data[0], 1);
  EXPECT_EQ(bits.chunks()[0].data[1], 2);
  EXPECT_EQ(bits.chunks()[1].data[0], 1);
  bits.Set(9, false);
  EXPECT_EQ(bits.chunks()[0].data[1], 0);
}

TEST(BitsTest, BitsThatWereCutOffAreZeroWhenTheRowGrowsAgain) {
  Bits bits;
  for (int i = 0; i < 600; ++i) bits.PushBack(true);
  bits.Resize(3);
  bits.Resize(600);
  EXPECT_EQ(bits.CountOnes(), 3u);
}

TEST(BitsTest, DropsWhatLiesBehindTheCountOfChunks) {
  std::vector<Root> chunks(3);
  for (Root& chunk : chunks) chunk.data.fill(0xff);
  const Bits bits = Bits::FromChunks(chunks, 257);
  EXPECT_EQ(bits.chunks().size(), 2u);
  EXPECT_EQ(bits.CountOnes(), 257u);
  EXPECT_EQ(bits.chunks()[1].data[0], 1);
  EXPECT_EQ(bits.chunks()[1].data[1], 0);
}

TEST(BitsTest, AppendsWholeChunksAndTheRestOfOne) {
  Bits all;
  for (int i = 0; i < 1024; ++i) all.PushBack(true);
  for (const size_t count : {0, 1, 255, 256, 257, 300, 512}) {
    Bits bits(256);
    bits.Append(all, 512, count);
    EXPECT_EQ(bits.size(), 256 + count);
    EXPECT_EQ(bits.CountOnes(0, 256), 0u) << count;
    EXPECT_EQ(bits.CountOnes(), count);
    bits.Resize(1024);
    EXPECT_EQ(bits.CountOnes(), count) << "bits past the end are zero";
  }
}

RC_GTEST_PROP(BitsProperty, AppendSliceAndCountEqualThoseOfBools, (std::vector<bool> head, std::vector<bool> tail)) {
  for (size_t i = 0; i < 280; ++i) tail.push_back(i % 3 == 0);
  const size_t first = *rc::gen::inRange<size_t>(0, tail.size() + 1);
  const size_t count = *rc::gen::inRange<size_t>(0, tail.size() - first + 1);
  const std::vector<bool> part(tail.begin() + first, tail.begin() + first + count);
  std::vector<bool> joined = head;
  joined.insert(joined.end(), part.begin(), part.end());

  const Bits tail_bits = BitsOf(tail);
  Bits bits = BitsOf(head);
  bits.Append(tail_bits, first, count);
  RC_ASSERT(ToBools(bits) == joined);
  RC_ASSERT(bits == BitsOf(joined));  // also the bits past the end
  RC_ASSERT(ToBools(tail_bits.Slice(first, count)) == part);
  RC_ASSERT(tail_bits.CountOnes(first, count) == static_cast<size_t>(std::count(part.begin(), part.end(), true)));
}

}  // namespace
}  // namespace lean::ssz
