// The one-time key of a leaf: its public hash, which positions a message reveals, and the values at them.
#ifndef LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_ONE_TIME_KEY_H_
#define LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_ONE_TIME_KEY_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/one_time/prf.h"
#include "common/crypto/xmss/one_time/target_sum.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

// The leaves of slots first_slot, first_slot + 1, …: hash_len() canonical words each. Constant time in the seed.
void HashLeaves(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter, uint32_t first_slot,
                absl::Span<uint32_t> leaves);

// Words of the sponge's capacity before a leaf is absorbed; they depend on the scheme's hash_len() alone.
using LeafCapacity = std::array<uint32_t, kCapacityLen>;
const LeafCapacity& LeafCapacityOf(const Scheme& scheme);

struct EncodedMessage {
  Randomness randomness{};
  Codeword codeword{};
  uint64_t counter = 0;  // of the try that succeeded
};

// Tries the seed's randomness in order until the message's codeword has the target sum: 23 tries on average. Its time
// depends on the number of tries, which the published randomness does not reveal but which is no secret either.
// Internal: none in kMaxTries.
absl::StatusOr<EncodedMessage> EncodeMessage(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                             uint32_t slot, const Root& message);

// The value of each chain at the codeword's position.
std::array<Node, kDimension> RevealChains(const Scheme& scheme, const PrfKey& prf_key, const Parameter& parameter,
                                          uint32_t slot, const Codeword& codeword);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_ONE_TIME_KEY_H_
