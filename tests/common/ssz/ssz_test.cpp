#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "common/containers/containers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::ssz {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A container with two lists among fields of fixed size; sizes: 8 + 4 + 4 = 16 fixed.
struct Pair {
  List<Root, 2> roots;
  uint64_t number = 0;
  Bitlist<16 * 256> bits;

  static constexpr auto Fields() {
    return std::make_tuple(Field("roots", &Pair::roots), Field("number", &Pair::number), Field("bits", &Pair::bits));
  }
  friend bool operator==(const Pair&, const Pair&) = default;
};

std::vector<uint8_t> Encoding() {
  Pair pair;
  pair.number = 0x0102030405060708;
  EXPECT_TRUE(pair.roots.push_back(Root{}));
  EXPECT_TRUE(pair.bits.push_back(true));
  return Serialize(pair);
}

void ExpectRefused(const std::vector<uint8_t>& bytes, const char* message) {
  const absl::Status status = Deserialize<Pair>(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

TEST(CodecTest, FixedPartHoldsNumbersAndOffsetsThenComesTheRest) {
  std::vector<uint8_t> bytes = Encoding();
  ASSERT_EQ(bytes.size(), 16u + 32u + 1u);
  EXPECT_EQ(bytes.back(), 0b11);
  bytes.resize(16);
  EXPECT_THAT(bytes, ElementsAre(16, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 48, 0, 0, 0));
}

TEST(CodecTest, ReadsWhatItWrote) {
  const absl::StatusOr<Pair> pair = Deserialize<Pair>(Encoding());
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->number, 0x0102030405060708u);
  EXPECT_EQ(pair->roots.size(), 1u);
  EXPECT_EQ(pair->bits.size(), 1u);
}

TEST(CodecTest, RefusesWhatIsTooShortForTheFixedPart) {
  std::vector<uint8_t> bytes = Encoding();
  bytes.resize(15);
  ExpectRefused(bytes, "expected at least 16 bytes, got 15");
}

TEST(CodecTest, RefusesAGapOrAnOverlapBeforeTheFirstList) {
  std::vector<uint8_t> bytes = Encoding();
  bytes[0] = 17;
  ExpectRefused(bytes, "first offset must be 16, is 17");
  bytes[0] = 15;
  ExpectRefused(bytes, "first offset must be 16, is 15");
}

TEST(CodecTest, RefusesOffsetsThatRunBackOrPastTheEnd) {
  std::vector<uint8_t> bytes = Encoding();
  bytes[12] = 15;
  ExpectRefused(bytes, "roots: offsets 16 to 15");
  bytes[12] = 50;
  ExpectRefused(bytes, "roots: offsets 16 to 50");
  bytes[15] = 0xff;
  ExpectRefused(bytes, "roots: offsets 16 to 4278190130");
}

TEST(CodecTest, RefusesPartsOfElementsAndListsOverTheirLimit) {
  std::vector<uint8_t> bytes = Encoding();
  bytes.insert(bytes.begin() + 16, 31, 0);
  bytes[12] = 48 + 31;
  ExpectRefused(bytes, "roots: 63 bytes are not a whole number of elements of 32");
  bytes.insert(bytes.begin() + 16, 33, 0);
  bytes[12] = 48 + 64;
  ExpectRefused(bytes, "roots: 3 elements exceed the limit of 2");
}

TEST(CodecTest, RefusesBitListsWithoutTheirLengthBit) {
  std::vector<uint8_t> bytes = Encoding();
  bytes.back() = 0;
  ExpectRefused(bytes, "bits: bit list does not end in its length bit");
  bytes.pop_back();
  ExpectRefused(bytes, "bits: bit list does not end in its length bit");
}

TEST(CodecTest, TakesABitListAtItsLimitAndNoneAbove) {
  using Row = Bitlist<16 * 256>;
  std::vector<uint8_t> bytes(512 + 1, 0);
  bytes.back() = 1;
  EXPECT_TRUE(Deserialize<Row>(bytes).ok());
  bytes.back() = 2;
  EXPECT_FALSE(Deserialize<Row>(bytes).ok());
  bytes.back() = 1;
  bytes.push_back(1);
  EXPECT_FALSE(Deserialize<Row>(bytes).ok());
}

TEST(CodecTest, NamesThePathToABadField) {
  const absl::Status status = Deserialize<SignedBlockWithAttestation>(std::vector<uint8_t>(8 + 3, 0)).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("first offset must be 8, is 0"));
  std::vector<uint8_t> bytes = Serialize(SignedBlockWithAttestation{});
  // The block's own first offset, 84, lies before its empty body.
  bytes[8 + 140 + 80] = 83;
  EXPECT_THAT(std::string(Deserialize<SignedBlockWithAttestation>(bytes).status().message()),
              HasSubstr("message: block: first offset must be 84, is 83"));
}

TEST(ContainersTest, HaveTheSizesOfTheSpecification) {
  EXPECT_EQ(Codec<Checkpoint>::kFixedSize, 40u);
  EXPECT_EQ(Codec<Validator>::kFixedSize, 60u);
  EXPECT_EQ(Codec<BlockHeader>::kFixedSize, 112u);
  EXPECT_EQ(Codec<AttestationData>::kFixedSize, 128u);
  EXPECT_EQ(Codec<Attestation>::kFixedSize, 136u);
  EXPECT_EQ(Codec<SignedAttestation>::kFixedSize, 3252u);
  EXPECT_EQ(Codec<State>::kFixedSize, 0u);
}

TEST(ContainersTest, AHeaderHasTheRootOfItsBlock) {
  Block block;
  block.slot = 7;
  block.proposer_index = 3;
  block.parent_root.data.fill(1);
  block.state_root.data.fill(2);
  ASSERT_TRUE(block.body.attestations.push_back(Attestation{}));
  const BlockHeader header{block.slot, block.proposer_index, block.parent_root, block.state_root,
                           HashTreeRoot(block.body)};
  EXPECT_EQ(HashTreeRoot(header), HashTreeRoot(block));
}

}  // namespace
}  // namespace lean::ssz
