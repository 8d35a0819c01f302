#include "common/crypto/xmss/wide_int.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lean::xmss {
namespace {

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
