// The seed of a key and what is derived from it: the start of every chain and the signer's randomness
// (leanSig f10dcbe: prf/shake_to_field.rs).
#ifndef LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_
#define LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_

#include <array>
#include <cstdint>

#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"
#include "common/crypto/xmss/words.h"

namespace lean::xmss {

// Move-only, so that copies are deliberate; wiped when destroyed or moved from. Derivation is constant time in the key.
class PrfKey {
 public:
  PrfKey() = default;  // all zero
  explicit PrfKey(const std::array<uint8_t, kPrfKeyBytes>& bytes) : bytes_(bytes) {}
  PrfKey(PrfKey&& other) noexcept;
  PrfKey& operator=(PrfKey&& other) noexcept;
  ~PrfKey();

  PrfKey Clone() const { return PrfKey(bytes_); }

  // The secret itself, for codecs.
  const std::array<uint8_t, kPrfKeyBytes>& bytes() const { return bytes_; }

  // Position 0 of a chain; secret.
  Node ChainStart(const Scheme& scheme, uint32_t slot, uint64_t chain) const;

  // The randomness of the signer's try number `counter`.
  Randomness RandomnessOf(const Scheme& scheme, uint32_t slot, const Root& message, uint64_t counter) const;

 private:
  std::array<uint8_t, kPrfKeyBytes> bytes_{};
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_
