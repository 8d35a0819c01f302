#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/crypto/field/koala_bear.h"

namespace lean::crypto {
namespace {

constexpr uint64_t kP = Fp::kModulus;

static_assert(kP == (uint64_t{1} << 31) - (1 << 24) + 1);
static_assert(Fp::kModulus * Fp::kModulusInverse == 1);
static_assert(Fp::FromUint64(kP).canonical() == 0);
static_assert((Fp::FromUint64(2) * Fp::FromUint64((kP + 1) / 2)).canonical() == 1);

TEST(KoalaBear, RefusesWordsThatAreNotBelowTheModulus) {
  EXPECT_TRUE(Fp::FromCanonical(Fp::kModulus - 1).has_value());
  EXPECT_FALSE(Fp::FromCanonical(Fp::kModulus).has_value());
  EXPECT_FALSE(Fp::FromCanonical(UINT32_MAX).has_value());
}

RC_GTEST_PROP(KoalaBear, ArithmeticIsThatOfIntegersModuloP, (uint64_t a, uint64_t b)) {
  const Fp x = Fp::FromUint64(a), y = Fp::FromUint64(b);
  a %= kP;
  b %= kP;
  RC_ASSERT(x.canonical() == a);
  RC_ASSERT(*Fp::FromCanonical(static_cast<uint32_t>(a)) == x);
  RC_ASSERT(x.raw() < kP);
  RC_ASSERT((x + y).canonical() == (a + b) % kP);
  RC_ASSERT((x - y).canonical() == (a + kP - b) % kP);
  RC_ASSERT((x * y).canonical() == a * b % kP);
  RC_ASSERT((x + y).raw() < kP && (x - y).raw() < kP && (x * y).raw() < kP);
}

TEST(KoalaBear, ArithmeticAtTheEdges) {
  for (const uint64_t a : {uint64_t{0}, uint64_t{1}, kP / 2, kP - 2, kP - 1}) {
    for (const uint64_t b : {uint64_t{0}, uint64_t{1}, kP / 2, kP - 2, kP - 1}) {
      const Fp x = Fp::FromUint64(a), y = Fp::FromUint64(b);
      EXPECT_EQ((x + y).canonical(), (a + b) % kP);
      EXPECT_EQ((x - y).canonical(), (a + kP - b) % kP);
      EXPECT_EQ((x * y).canonical(), a * b % kP);
    }
  }
}

}  // namespace
}  // namespace lean::crypto
