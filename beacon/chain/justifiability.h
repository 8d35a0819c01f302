// Which slots may be justified. Source: leanSpec 050fa4a, Slot.is_justifiable_after (3SF-mini).
#ifndef LEAN_BEACON_CHAIN_JUSTIFIABILITY_H_
#define LEAN_BEACON_CHAIN_JUSTIFIABILITY_H_

#include <cstdint>

namespace lean::beacon {

// floor(sqrt(value)), exact for every value.
uint64_t IntegerSqrt(uint64_t value);

// True when the distance from the finalized slot is at most 5, a square, or a product of two neighbours (n * (n + 1)).
// slot >= finalized_slot.
bool IsJustifiableAfter(uint64_t slot, uint64_t finalized_slot);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_JUSTIFIABILITY_H_
