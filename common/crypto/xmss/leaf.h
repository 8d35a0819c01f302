// Leaves from the seed: the whole cost of key generation.
#ifndef LEAN_COMMON_CRYPTO_XMSS_LEAF_H_
#define LEAN_COMMON_CRYPTO_XMSS_LEAF_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "common/crypto/xmss/prf_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

// The leaves of slots first_slot, first_slot + 1, …: hash_len() canonical words each. Constant time in the seed.
void HashLeaves(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter, uint32_t first_slot,
                absl::Span<uint32_t> leaves);

// Words of the sponge's capacity before a leaf is absorbed; they depend on the scheme's hash_len() alone.
using LeafCapacity = std::array<uint32_t, kCapacityLen>;
const LeafCapacity& LeafCapacityOf(const Scheme& scheme);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_LEAF_H_
