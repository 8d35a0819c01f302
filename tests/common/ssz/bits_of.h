// Rows of bits from what a property test draws.
#ifndef LEAN_TESTS_COMMON_SSZ_BITS_OF_H_
#define LEAN_TESTS_COMMON_SSZ_BITS_OF_H_

#include <vector>

#include "common/ssz/bits.h"

namespace lean::ssz_test {

inline ssz::Bits BitsOf(const std::vector<bool>& bools) {
  ssz::Bits bits;
  for (const bool bit : bools) bits.PushBack(bit);
  return bits;
}

}  // namespace lean::ssz_test

#endif  // LEAN_TESTS_COMMON_SSZ_BITS_OF_H_
