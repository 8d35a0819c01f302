#include "common/crypto/xmss/keys/key_generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "tests/common/crypto/xmss/keys/test_keys.h"

namespace lean::xmss {
namespace {

using ::testing::HasSubstr;

TEST(WidenActiveRangeTest, WidensToWholeBottomTrees) {
  const Scheme scheme = *Scheme::Create(8);
  const auto widen = [&scheme](uint64_t first, uint64_t end) { return *WidenActiveRange(scheme, {first, end}); };
  EXPECT_EQ(widen(0, 1), (SlotRange{0, 32}));
  EXPECT_EQ(widen(17, 18), (SlotRange{16, 48}));
  EXPECT_EQ(widen(15, 33), (SlotRange{0, 48}));
  EXPECT_EQ(widen(250, 256), (SlotRange{224, 256}));
  EXPECT_EQ(widen(0, 256), (SlotRange{0, 256}));
}

TEST(WidenActiveRangeTest, RefusesEmptyRangesAndThoseBeyondTheLifetime) {
  const Scheme scheme = *Scheme::Create(8);
  EXPECT_EQ(WidenActiveRange(scheme, {5, 5}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WidenActiveRange(scheme, {6, 5}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(WidenActiveRange(scheme, {0, 257}).status().message(), HasSubstr("lifetime of 256 slots"));
}

TEST(KeyGenerationTest, IsTheSameOnOneThreadAndOnSeveral) {
  const Scheme scheme = *Scheme::Create(16);
  SeededRandomSource random_one(5), random_three(5);
  const absl::StatusOr<SecretKey> one = GenerateKey(scheme, {1000, 1001}, random_one);
  const absl::StatusOr<SecretKey> three =
      GenerateKey(scheme, {1000, 1001}, random_three, {.threads = 3, .progress = {}});
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(one->active(), (SlotRange{768, 1280}));
  EXPECT_TRUE(EncodeLeanSigSecretKey(*one).span() == EncodeLeanSigSecretKey(*three).span());
}

TEST(KeyGenerationTest, DifferentSeedsGiveDifferentKeys) {
  const Scheme scheme = *Scheme::Create(8);
  EXPECT_NE(MakeKey(scheme, {0, 1}, 1)->public_key(), MakeKey(scheme, {0, 1}, 2)->public_key());
  SystemRandomSource random;
  EXPECT_NE(GenerateKey(scheme, {0, 1}, random)->public_key(), GenerateKey(scheme, {0, 1}, random)->public_key());
}

TEST(KeyGenerationTest, ShowsProgressThatEndsAtOne) {
  SeededRandomSource random(1);
  std::vector<double> fractions;
  const auto progress = [&fractions](double fraction) {
    fractions.push_back(fraction);
    return true;
  };
  ASSERT_TRUE(GenerateKey(*Scheme::Create(16), {0, 1}, random, {.threads = 2, .progress = progress}).ok());
  ASSERT_FALSE(fractions.empty());
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_GT(fractions.front(), 0);
  EXPECT_EQ(fractions.back(), 1);
}

TEST(KeyGenerationTest, StopsWhenProgressSaysSo) {
  SeededRandomSource random(1);
  int calls = 0;
  const auto progress = [&calls](double) { return ++calls < 2; };
  const absl::StatusOr<SecretKey> key =
      GenerateKey(*Scheme::Create(16), {0, 65536}, random, {.threads = 2, .progress = progress});
  EXPECT_EQ(key.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 2);
}

class BrokenRandomSource : public RandomSource {
 public:
  absl::Status Fill(absl::Span<uint8_t>) override { return absl::InternalError("no randomness"); }
};

TEST(KeyGenerationTest, FailsWithItsRandomSource) {
  BrokenRandomSource broken;
  EXPECT_EQ(GenerateKey(*Scheme::Create(8), {0, 1}, broken).status().message(), "no randomness");
}

}  // namespace
}  // namespace lean::xmss
