// The target-sum encoding: from the hash of a message to the positions that a signature reveals on the 64 chains
// (leanSig f10dcbe: hypercube.rs, top_level_poseidon.rs, target_sum.rs).
#ifndef LEAN_COMMON_CRYPTO_XMSS_TARGET_SUM_H_
#define LEAN_COMMON_CRYPTO_XMSS_TARGET_SUM_H_

#include <array>
#include <cstdint>

#include "common/crypto/xmss/scheme.h"

namespace lean::xmss {

inline constexpr size_t kMessageHashLen = 15;  // canonical words of a message hash

using Codeword = std::array<uint8_t, kDimension>;  // each 0..7

// Maps the hash (its first word the most significant digit in base p) to a point of {0..7}^64 in the layers 0..77.
// False if the point's sum is not kTargetSum, which for random hashes is so 96 times in 100: `codeword` is then
// untouched. Takes time that depends on the hash, which a signature publishes.
bool EncodeTargetSum(const std::array<uint32_t, kMessageHashLen>& hash, Codeword& codeword);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_TARGET_SUM_H_
