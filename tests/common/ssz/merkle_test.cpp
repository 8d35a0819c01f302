#include "common/ssz/merkle.h"

#include <vector>

#include "common/bytes/bytes.h"
#include "gtest/gtest.h"
#include "tests/common/ssz/naive_root.h"

namespace lean::ssz {
namespace {

std::vector<Root> Chunks(size_t count) {
  std::vector<Root> chunks(count);
  for (size_t i = 0; i < count; ++i) chunks[i].data.fill(static_cast<uint8_t>(i + 1));
  return chunks;
}

TEST(TreeHeightTest, IsTheSmallestThatHoldsTheChunks) {
  EXPECT_EQ(TreeHeight(0), 0);
  EXPECT_EQ(TreeHeight(1), 0);
  EXPECT_EQ(TreeHeight(2), 1);
  EXPECT_EQ(TreeHeight(3), 2);
  EXPECT_EQ(TreeHeight(4), 2);
  EXPECT_EQ(TreeHeight(5), 3);
  EXPECT_EQ(TreeHeight(uint64_t{1} << 18), 18);
  EXPECT_EQ(TreeHeight((uint64_t{1} << 18) + 1), 19);
}

TEST(ZeroRootTest, IsTheHashOfTwoLowerOnes) {
  EXPECT_TRUE(ZeroRoot(0).IsZero());
  for (int height = 1; height < 64; ++height) {
    EXPECT_EQ(ZeroRoot(height), ssz_test::HashOf(ZeroRoot(height - 1), ZeroRoot(height - 1))) << height;
  }
}

TEST(MerkleRootTest, EqualsTheDefinitionForEveryCount) {
  for (const int height : {0, 1, 2, 3, 4, 5, 10}) {
    for (size_t count = 0; count <= std::min(size_t{40}, size_t{1} << height); ++count) {
      std::vector<Root> scratch = Chunks(count);
      EXPECT_EQ(MerkleRoot(absl::MakeSpan(scratch), height), ssz_test::NaiveTreeRoot(Chunks(count), height))
          << count << " chunks at height " << height;
    }
  }
}

TEST(MerkleRootOfBytesTest, FillsTheLastChunkWithZeros) {
  std::vector<uint8_t> bytes(33, 0xab);
  std::vector<Root> chunks(2);
  chunks[0].data.fill(0xab);
  chunks[1].data[0] = 0xab;
  EXPECT_EQ(MerkleRootOfBytes(bytes), ssz_test::NaiveTreeRoot(chunks, 1));
}

TEST(MixInLengthTest, HashesTheLengthBehindTheRoot) {
  EXPECT_EQ(MixInLength(Chunks(1)[0], 0x0102030405060708), ssz_test::NaiveListRoot(Chunks(1), 0, 0x0102030405060708));
}

}  // namespace
}  // namespace lean::ssz
