#include "common/crypto/sha.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/bytes/bytes.h"
#include "gtest/gtest.h"

namespace lean::crypto {
namespace {

// FIPS 180-4 examples.
TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(ToHex(Sha256(BytesOfText("")).span()),
            "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256(BytesOfText("abc")).span()),
            "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256(BytesOfText("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).span()),
            "0x248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

std::vector<Root> SomeRoots(size_t count) {
  std::vector<Root> roots(count);
  for (size_t i = 0; i < count; ++i) roots[i] = Sha256(BytesOfText(std::to_string(i)));
  return roots;
}

Root HashOf(const Root& left, const Root& right) {
  std::vector<uint8_t> message(left.data.begin(), left.data.end());
  message.insert(message.end(), right.data.begin(), right.data.end());
  return Sha256(message);
}

TEST(HashPairTest, IsTheHashOfBothTogether) {
  const std::vector<Root> roots = SomeRoots(2);
  EXPECT_EQ(HashPair(roots[0], roots[1]), HashOf(roots[0], roots[1]));
  EXPECT_EQ(HashPair(Root{}, Root{}), HashOf(Root{}, Root{}));
}

TEST(HashPairsTest, HashesALayerInPlace) {
  // An odd number of pairs leaves one without a neighbour.
  for (size_t pairs = 0; pairs <= 9; ++pairs) {
    const std::vector<Root> children = SomeRoots(2 * pairs);
    std::vector<Root> layer = children;
    HashPairs(layer, absl::MakeSpan(layer).first(pairs));
    for (size_t i = 0; i < pairs; ++i) EXPECT_EQ(layer[i], HashOf(children[2 * i], children[2 * i + 1])) << i;
    for (size_t i = pairs; i < layer.size(); ++i) EXPECT_EQ(layer[i], children[i]) << i;
  }
}

TEST(HashPairsTest, EqualsTheHashOfAnyMessage) {
  std::vector<Root> layer = SomeRoots(256);
  for (int round = 0; round < 200; ++round) {
    std::vector<Root> parents(layer.size() / 2);
    HashPairs(layer, absl::MakeSpan(parents));
    for (size_t i = 0; i < parents.size(); ++i) ASSERT_EQ(parents[i], HashOf(layer[2 * i], layer[2 * i + 1]));
    // The results are the next messages.
    std::copy(parents.begin(), parents.end(), layer.begin() + (round % 2 == 0 ? 0 : layer.size() / 2));
  }
}

std::vector<uint8_t> Shake(const std::vector<uint8_t>& input, size_t length) {
  std::vector<uint8_t> output(length);
  Shake128(input, absl::MakeSpan(output));
  return output;
}

std::string Hex(const std::vector<uint8_t>& bytes) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// NIST's example values for SHAKE128 (Cryptographic Standards and Guidelines: Message size 0 and 1600 bits) and its
// test vector for "abc".
TEST(Shake128, KnownAnswers) {
  EXPECT_EQ(Hex(Shake({}, 32)), "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
  EXPECT_EQ(Hex(Shake(std::vector<uint8_t>(200, 0xa3), 32)),
            "131ab8d2b594946b9c81333f9bb6e0ce75c3b93104fa3469d3917457385da037");
  EXPECT_EQ(Hex(Shake({'a', 'b', 'c'}, 16)), "5881092dd818bf5cf8a3ddb793fbcba7");
  EXPECT_EQ(Hex(Shake({'a', 'b', 'c'}, 0)), "");
}

}  // namespace

}  // namespace lean::crypto
