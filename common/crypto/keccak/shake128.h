// SHAKE128 (FIPS 202) of one message, by OpenSSL. `lanes/` has SHAKE128 of many messages at once.
#ifndef LEAN_COMMON_CRYPTO_KECCAK_SHAKE128_H_
#define LEAN_COMMON_CRYPTO_KECCAK_SHAKE128_H_

#include <cstdint>

#include "absl/types/span.h"

namespace lean::crypto {

// Fills `output` with the extension of `input`, both of any length. Wipes its state.
void Shake128(absl::Span<const uint8_t> input, absl::Span<uint8_t> output);

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_KECCAK_SHAKE128_H_
