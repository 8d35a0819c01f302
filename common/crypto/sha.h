// SHA-256 and SHAKE128 (FIPS 180-4, 202) of one message.
#ifndef LEAN_COMMON_CRYPTO_SHA_H_
#define LEAN_COMMON_CRYPTO_SHA_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"

namespace lean::crypto {

// Hash of any message.
Root Sha256(ByteSpan message);

// Hash of the 64 bytes left || right: a node of a Merkle tree. The result may be stored over either input.
Root HashPair(const Root& left, const Root& right);

// parents[i] = HashPair(children[2i], children[2i + 1]) for every parent; children.size() is at least 2 *
// parents.size(). Parents may be the first half of the children: a layer is hashed in place.
void HashPairs(absl::Span<const Root> children, absl::Span<Root> parents);

// Fills `output` with the extension of `input`, both of any length. Wipes its state.
void Shake128(absl::Span<const uint8_t> input, absl::Span<uint8_t> output);

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_SHA_H_
