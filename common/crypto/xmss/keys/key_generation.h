// Key generation (leanSig f10dcbe, key_gen): every leaf of the active slots is computed once.
#ifndef LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_GENERATION_H_
#define LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_GENERATION_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
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

// A key for at least the slots of `requested`, prepared for its first two bottom trees. Memory: three bottom trees
// (4 MiB each at lifetime 2^32) and the top tree, however long the range.
// InvalidArgument: as above. Cancelled: `progress` said so. Internal: the random source failed.
absl::StatusOr<SecretKey> GenerateKey(const Scheme& scheme, SlotRange requested, RandomSource& random,
                                      const KeyGenerationOptions& options = {});

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_KEYS_KEY_GENERATION_H_
