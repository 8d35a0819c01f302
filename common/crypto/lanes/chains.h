// Chains of differing lengths, packed so that few lanes idle.
#ifndef LEAN_COMMON_CRYPTO_LANES_CHAINS_H_
#define LEAN_COMMON_CRYPTO_LANES_CHAINS_H_

#include <cstddef>

#include "absl/types/span.h"
#include "common/crypto/lanes/kernels.h"

namespace lean::crypto::lanes {

// Kernels::walk_chains with the jobs put in the order of their lengths, longest first. Those of many signatures in one
// call pack best. `jobs` is reordered.
void WalkChains(const Kernels& kernels, size_t hash_len, absl::Span<ChainJob> jobs);

}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_CHAINS_H_
