#include "common/crypto/xmss/keys/secret_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "tests/common/crypto/xmss/keys/test_keys.h"

namespace lean::xmss {
namespace {

using ::testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<SecretKey> && !std::is_copy_assignable_v<SecretKey>);
static_assert(!std::is_copy_constructible_v<PrfKey> && !std::is_copy_assignable_v<PrfKey>);

TEST(PrfKeyTest, IsWipedWhenMovedFrom) {
  std::array<uint8_t, kPrfKeyBytes> bytes;
  bytes.fill(7);
  PrfKey key(bytes);
  PrfKey moved = std::move(key);
  EXPECT_EQ(key.bytes(), PrfKey().bytes());  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(moved.bytes(), bytes);
  key = std::move(moved);
  EXPECT_EQ(moved.bytes(), PrfKey().bytes());  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(key.bytes(), bytes);
}

TEST(SecretKeyTest, EveryLeafOfAKeySignsAsTheTreesAdvance) {
  for (const Scheme& scheme : {*Scheme::Create(8), Scheme::Lifetime18()}) {
    const uint64_t leaves = scheme.bottom_leaves();
    absl::StatusOr<SecretKey> key = MakeKey(scheme, {0, 5 * leaves}, 1);
    ASSERT_TRUE(key.ok()) << key.status();
    ASSERT_EQ(key->active(), (SlotRange{0, 5 * leaves}));
    for (uint64_t slot = 0; slot < key->active().end; slot += leaves / 8) {
      while (!key->prepared().Contains(slot)) ASSERT_TRUE(key->Advance().ok());
      const Root message = MessageOf(static_cast<uint8_t>(slot));
      const absl::StatusOr<Signature> signature = key->Sign(slot, message);
      ASSERT_TRUE(signature.ok()) << signature.status();
      EXPECT_TRUE(Verify(scheme, key->public_key(), slot, message, *signature)) << "slot " << slot;
      EXPECT_FALSE(Verify(scheme, key->public_key(), slot ^ 1, message, *signature));
      EXPECT_FALSE(Verify(scheme, key->public_key(), slot, MessageOf(99), *signature));
      EXPECT_FALSE(Verify(scheme, key->public_key(), slot + scheme.lifetime(), message, *signature));
    }
  }
}

TEST(SecretKeyTest, SignsOnlyPreparedSlots) {
  absl::StatusOr<SecretKey> key = MakeKey(*Scheme::Create(8), {16, 64}, 1);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->prepared(), (SlotRange{16, 48}));
  EXPECT_EQ(key->Sign(15, Root{}).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(key->Sign(48, Root{}).status().message(), HasSubstr("16..47"));
  EXPECT_FALSE(key->Sign(uint64_t{1} << 40, Root{}).ok());
  EXPECT_TRUE(key->CanAdvance());
  ASSERT_TRUE(key->Advance().ok());
  EXPECT_TRUE(key->Sign(48, Root{}).ok());
  EXPECT_FALSE(key->CanAdvance());
  EXPECT_EQ(key->Advance().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(key->prepared(), (SlotRange{32, 64}));
}

TEST(SecretKeyTest, TakesItsNextTreeFromABuilderThatWorkedInSlices) {
  const Scheme scheme = *Scheme::Create(8);
  absl::StatusOr<SecretKey> sliced = MakeKey(scheme, {0, 64}, 1);
  absl::StatusOr<SecretKey> at_once = MakeKey(scheme, {0, 64}, 1);
  ASSERT_TRUE(sliced.ok() && at_once.ok());
  BottomTreeBuilder builder = sliced->NextTreeBuilder();
  EXPECT_EQ(builder.leaves_total(), 16);
  uint64_t slices = 0;
  for (; !builder.done(); ++slices) builder.Step(3);
  EXPECT_EQ(slices, 6);
  EXPECT_EQ(builder.leaves_done(), 16);
  builder.Step(1);
  EXPECT_TRUE(builder.Finish(1, {}).ok());
  ASSERT_TRUE(sliced->Advance(std::move(builder)).ok());
  ASSERT_TRUE(at_once->Advance().ok());
  EXPECT_TRUE(EncodeLeanSigSecretKey(*sliced).span() == EncodeLeanSigSecretKey(*at_once).span());
}

TEST(SecretKeyTest, RefusesATreeThatIsNotItsNext) {
  absl::StatusOr<SecretKey> key = MakeKey(*Scheme::Create(8), {0, 64}, 1);
  absl::StatusOr<SecretKey> other = MakeKey(*Scheme::Create(8), {0, 64}, 2);
  ASSERT_TRUE(key.ok() && other.ok());
  EXPECT_THAT(key->Advance(key->NextTreeBuilder()).message(), HasSubstr("finished"));
  BottomTreeBuilder of_other = other->NextTreeBuilder();
  of_other.Step(of_other.leaves_total());
  EXPECT_THAT(key->Advance(std::move(of_other)).message(), HasSubstr("root"));
  BottomTreeBuilder late = key->NextTreeBuilder();
  late.Step(late.leaves_total());
  ASSERT_TRUE(key->Advance().ok());
  EXPECT_FALSE(key->Advance(std::move(late)).ok());
  EXPECT_EQ(key->prepared(), (SlotRange{16, 48}));
}

TEST(SecretKeyCodecTest, RefusesWhateverByteIsChanged) {
  const Scheme scheme = *Scheme::Create(8);
  const absl::StatusOr<SecretKey> key = MakeKey(scheme, {0, 1}, 1);
  ASSERT_TRUE(key.ok());
  const WipedBytes encoded = EncodeLeanSigSecretKey(*key);
  std::vector<uint8_t> bytes(encoded.span().begin(), encoded.span().end());
  ASSERT_TRUE(DecodeLeanSigSecretKey(scheme, bytes).ok());
  // The seed has no redundancy; every byte behind it is a parameter of the trees, a number or a node.
  for (size_t i = kPrfKeyBytes; i < bytes.size(); ++i) {
    // Random nodes stand in for missing siblings: one a level at the right edge, whose parents' hashes tell, except
    // beside the root.
    if (i >= 88 + 420 - 32 && i < 88 + 420) continue;
    bytes[i] ^= 1;
    EXPECT_FALSE(DecodeLeanSigSecretKey(scheme, bytes).ok()) << "byte " << i;
    bytes[i] ^= 1;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeLeanSigSecretKey(scheme, ByteSpan(bytes).first(size)).ok());
  }
  bytes.push_back(0);
  EXPECT_FALSE(DecodeLeanSigSecretKey(scheme, bytes).ok());
}

TEST(SecretKeyCodecTest, RefusesHugeNumbersWithoutAllocating) {
  const Scheme scheme = *Scheme::Create(32);
  std::vector<uint8_t> bytes(88, 0xff);
  EXPECT_FALSE(DecodeLeanSigSecretKey(scheme, bytes).ok());
  std::fill(bytes.begin(), bytes.end(), uint8_t{0});
  bytes[64] = 1;   // 2^32 active slots
  bytes[68] = 88;  // offset of the top tree
  EXPECT_THAT(DecodeLeanSigSecretKey(scheme, bytes).status().message(), HasSubstr("there are 88"));
}

}  // namespace
}  // namespace lean::xmss
