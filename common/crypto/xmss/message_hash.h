// The hash that the target-sum encoding maps to chain positions (leanSig f10dcbe: top_level_poseidon.rs).
#ifndef LEAN_COMMON_CRYPTO_XMSS_MESSAGE_HASH_H_
#define LEAN_COMMON_CRYPTO_XMSS_MESSAGE_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/target_sum.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

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

#endif  // LEAN_COMMON_CRYPTO_XMSS_MESSAGE_HASH_H_
