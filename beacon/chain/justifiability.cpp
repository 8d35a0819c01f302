#include "beacon/chain/justifiability.h"

namespace lean::beacon {

uint64_t IntegerSqrt(uint64_t value) {
  // One result bit a step, from the highest: no multiplication that could overflow, no floating point.
  uint64_t remainder = value;
  uint64_t result = 0;
  for (uint64_t bit = uint64_t{1} << 62; bit != 0; bit >>= 2) {
    if (remainder >= result + bit) {
      remainder -= result + bit;
      result = (result >> 1) + bit;
    } else {
      result >>= 1;
    }
  }
  return result;
}

bool IsJustifiableAfter(uint64_t slot, uint64_t finalized_slot) {
  const uint64_t distance = slot - finalized_slot;
  if (distance <= 5) return true;
  // root <= 2^32 - 1, so neither product overflows. The reference tests 4 * distance + 1 for an odd square, which holds
  // exactly for n * (n + 1); n can only be the integer root.
  const uint64_t root = IntegerSqrt(distance);
  return root * root == distance || root * (root + 1) == distance;
}

}  // namespace lean::beacon
