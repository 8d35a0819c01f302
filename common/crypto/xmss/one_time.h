// The one-time signature of a leaf: which positions a message reveals, and the values at them.
#ifndef LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_H_
#define LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/prf_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/target_sum.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

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

#endif  // LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_H_
