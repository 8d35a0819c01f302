#include "common/crypto/xmss/one_time/target_sum.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <random>
#include <set>

#include "common/crypto/field/koala_bear.h"
#include "common/crypto/xmss/one_time/wide_int.h"

namespace lean::xmss {
namespace {

std::array<uint32_t, kMessageHashLen> RandomHash(std::mt19937_64& random) {
  std::array<uint32_t, kMessageHashLen> hash;
  for (uint32_t& word : hash) word = static_cast<uint32_t>(random() % crypto::Fp::kModulus);
  return hash;
}

TEST(TargetSumTest, CodewordsHaveTheTargetSumAndComeAsOftenAsTheyShould) {
  std::mt19937_64 random(1);
  std::set<Codeword> codewords;
  constexpr int kHashes = 20000;
  for (int i = 0; i < kHashes; ++i) {
    Codeword codeword;
    if (!EncodeTargetSum(RandomHash(random), codeword)) continue;
    EXPECT_EQ(std::accumulate(codeword.begin(), codeword.end(), uint32_t{0}), kTargetSum);
    EXPECT_LE(*std::max_element(codeword.begin(), codeword.end()), kChainEnd);
    codewords.insert(codeword);
  }
  // 4.29 in 100, all different; the margin is six standard deviations.
  EXPECT_NEAR(static_cast<double>(codewords.size()), 0.0429 * kHashes, 175);
}

TEST(TargetSumTest, LeavesTheCodewordAloneWhenItRefuses) {
  Codeword codeword;
  codeword.fill(9);
  const Codeword before = codeword;
  EXPECT_FALSE(EncodeTargetSum({}, codeword)) << "zero is the point of layer 0";
  EXPECT_EQ(codeword, before);
}

TEST(TargetSumTest, TakesTheLargestWords) {
  std::array<uint32_t, kMessageHashLen> hash;
  hash.fill(crypto::Fp::kModulus - 1);
  Codeword codeword{};
  EncodeTargetSum(hash, codeword);
  EXPECT_LE(*std::max_element(codeword.begin(), codeword.end()), kChainEnd);
}

WideInt Wide(unsigned __int128 value) {
  WideInt wide(static_cast<uint64_t>(value));
  wide.limbs[1] = static_cast<uint64_t>(value >> 64);
  return wide;
}

unsigned __int128 Join(uint64_t high, uint64_t low) { return static_cast<unsigned __int128>(high) << 64 | low; }

RC_GTEST_PROP(WideIntTest, AddsAndOrdersLikeTheNativeType, (uint64_t a1, uint64_t a0, uint64_t b1, uint64_t b0)) {
  const unsigned __int128 a = Join(a1 / 2, a0);
  const unsigned __int128 b = Join(b1 / 2, b0);
  RC_ASSERT(Wide(a) + Wide(b) == Wide(a + b));
  RC_ASSERT((Wide(a) < Wide(b)) == (a < b));
}

RC_GTEST_PROP(WideIntTest, SubtractionUndoesAddition,
              (uint64_t a2, uint64_t a1, uint64_t a0, uint64_t b2, uint64_t b1)) {
  WideInt a, b;
  a.limbs = {a0, a1, a2};
  b.limbs = {a1, b1, b2};
  RC_ASSERT(a + b - b == a);
}

RC_GTEST_PROP(WideIntTest, MultipliesAcrossLimbs, (uint64_t a, uint64_t factor)) {
  RC_ASSERT(WideInt(a) * factor == Wide(static_cast<unsigned __int128>(a) * factor));
  WideInt shifted;
  shifted.limbs = {0, a, 0};
  const WideInt product = WideInt(a) * factor;
  RC_ASSERT((shifted * factor).limbs[1] == product.limbs[0]);
  RC_ASSERT((shifted * factor).limbs[2] == product.limbs[1]);
}

}  // namespace

}  // namespace lean::xmss
