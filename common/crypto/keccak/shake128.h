// SHAKE128 (FIPS 202) for short secrets and messages.
#ifndef LEAN_COMMON_CRYPTO_KECCAK_SHAKE128_H_
#define LEAN_COMMON_CRYPTO_KECCAK_SHAKE128_H_

#include <cstdint>

#include "absl/types/span.h"

namespace lean::crypto {

// Fills `output` with the extension of `input`; any lengths. Constant time in the input's bytes; what it leaves on the
// stack is wiped.
void Shake128(absl::Span<const uint8_t> input, absl::Span<uint8_t> output);

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_KECCAK_SHAKE128_H_
