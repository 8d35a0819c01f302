// Key generation (leanSig f10dcbe, key_gen): every leaf of the active slots is computed once. A key can be computed
// again from its seed.
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_GENERATION_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_GENERATION_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "common/crypto/xmss/keys/key_seed.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/scheme.h"
#include "common/secrets/random_source.h"

namespace lean::xmss {

struct KeyGenerationOptions {
  // Threads that compute leaves, the caller's included; at least 1.
  unsigned threads = 1;
  // Called with the fraction done, 0 to 1, never by two threads at once and never going back; returning false cancels.
  // May be empty.
  std::function<bool(double fraction)> progress;
};

// The slots that a key for `requested` really has: widened to whole bottom trees, at least two of them, shifted down
// where they would pass the lifetime. InvalidArgument: empty, or beyond the scheme's lifetime.
absl::StatusOr<SlotRange> WidenActiveRange(const Scheme& scheme, SlotRange requested);

// The bottom tree that holds `slot`, or the nearest one of the active slots that another one follows.
uint64_t LeftIndexFor(const Scheme& scheme, const SlotRange& active, uint64_t slot);

// Computes a key for `active` slots (checked by CheckActiveRange) from its seed, every leaf once, prepared for the
// bottom trees of LeftIndexFor(slot). Memory: three bottom trees (4 MiB each at lifetime 2^32) and the top tree,
// however long the range. Cancelled: `progress` said so.
absl::StatusOr<SecretKey> BuildKey(const Scheme& scheme, const SlotRange& active, KeySeed seed, uint64_t slot,
                                   const KeyGenerationOptions& options);

// A key for at least the slots of `requested`, from 32 new random bytes, prepared for its first two bottom trees.
// Errors of WidenActiveRange and BuildKey; Internal: the random source failed.
absl::StatusOr<SecretKey> GenerateKey(const Scheme& scheme, SlotRange requested, RandomSource& random,
                                      const KeyGenerationOptions& options = {});

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_GENERATION_H_
