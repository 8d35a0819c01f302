// SHA-256 of 64-byte messages by the SHA extensions of x86-64. Two messages are hashed side by side, because the
// instructions of one wait for each other.
#ifndef LEAN_COMMON_CRYPTO_SHA_PAIRS_H_
#define LEAN_COMMON_CRYPTO_SHA_PAIRS_H_

#include <cstddef>
#include <cstdint>

namespace lean::crypto {

// Hashes `count` messages of 64 bytes that follow each other in `messages` to `count` digests of 32 bytes. A digest may
// overwrite messages that are hashed already, or its own. Only on a CPU with the SHA extensions and SSE4.1.
// Thread-safe.
void HashPairsWithExtensions(const uint8_t* messages, size_t count, uint8_t* digests);

}  // namespace lean::crypto

#endif  // LEAN_COMMON_CRYPTO_SHA_PAIRS_H_
