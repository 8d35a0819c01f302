#include "common/crypto/sha256.h"

#include <string>
#include <vector>

#include "common/bytes/hex.h"
#include "gtest/gtest.h"

namespace lean::crypto {
namespace {

ByteSpan AsBytes(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// FIPS 180-4 examples.
TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(ToHex(Sha256(AsBytes("")).span()), "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256(AsBytes("abc")).span()), "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).span()),
            "0x248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

std::vector<Root> SomeRoots(size_t count) {
  std::vector<Root> roots(count);
  for (size_t i = 0; i < count; ++i) roots[i] = Sha256(AsBytes(std::to_string(i)));
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
  const std::vector<Root> children = SomeRoots(10);
  std::vector<Root> layer = children;
  HashPairs(layer, absl::MakeSpan(layer).first(5));
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(layer[i], HashOf(children[2 * i], children[2 * i + 1])) << i;
}

}  // namespace
}  // namespace lean::crypto
