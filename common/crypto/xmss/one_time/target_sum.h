// From a message to the positions that a signature reveals on the 64 chains: the hash of the message, and the
// target-sum encoding of that hash (leanSig f10dcbe: top_level_poseidon.rs, hypercube.rs, target_sum.rs).
#ifndef LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_TARGET_SUM_H_
#define LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_TARGET_SUM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

inline constexpr size_t kMessageHashLen = 15;  // canonical words of a message hash

using Codeword = std::array<uint8_t, kDimension>;  // each 0..7

// Maps the hash (its first word the most significant digit in base p) to a point of {0..7}^64 in the layers 0..77.
// False if the point's sum is not kTargetSum, which for random hashes is so 96 times in 100: `codeword` is then
// untouched. Takes time that depends on the hash, which a signature publishes.
bool EncodeTargetSum(const std::array<uint32_t, kMessageHashLen>& hash, Codeword& codeword);

// The words of one compression of width 24; in an output, the first kMessageHashLen are the hash.
using MessageHashState = std::array<uint32_t, 24>;

// Randomness (zero for now), parameter, two digits of the slot's tweak, nine digits of the message.
MessageHashState MessageHashInput(const Scheme& scheme, const Parameter& parameter, uint64_t slot, const Root& message);

// Puts in the first randomness_len() words of `randomness`.
void SetRandomness(const Scheme& scheme, absl::Span<const uint32_t> randomness, MessageHashState& input);

// Compresses each input in place: in lanes, or one by one where there are few.
void CompressInputs(absl::Span<MessageHashState> states);

// The codeword of an input that has been compressed; false as EncodeTargetSum.
bool EncodeHash(const MessageHashState& compressed, Codeword& codeword);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_TARGET_SUM_H_
