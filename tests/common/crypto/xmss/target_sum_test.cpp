#include "common/crypto/xmss/target_sum.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

#include "common/crypto/field/koala_bear.h"

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

}  // namespace
}  // namespace lean::xmss
