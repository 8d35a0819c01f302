// Hashing of whole tree levels.
#ifndef LEAN_COMMON_CRYPTO_XMSS_TREE_LEVEL_H_
#define LEAN_COMMON_CRYPTO_XMSS_TREE_LEVEL_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

// Nodes first_index, first_index + 1, … of `level` from their children, two a parent; both spans hold hash_len()
// canonical words a node.
void HashParents(const Scheme& scheme, const Parameter& parameter, uint32_t level, uint64_t first_index,
                 absl::Span<const uint32_t> children, absl::Span<uint32_t> parents);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_TREE_LEVEL_H_
