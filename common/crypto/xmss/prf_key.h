// The seed of a key, from which its chains and the signer's randomness are derived.
#ifndef LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_
#define LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_

#include <array>
#include <cstdint>

#include "common/crypto/xmss/scheme.h"

namespace lean::xmss {

// Move-only, so that copies are deliberate; wiped when destroyed or moved from.
class PrfKey {
 public:
  PrfKey() = default;  // all zero
  explicit PrfKey(const std::array<uint8_t, kPrfKeyBytes>& bytes) : bytes_(bytes) {}
  PrfKey(PrfKey&& other) noexcept;
  PrfKey& operator=(PrfKey&& other) noexcept;
  ~PrfKey();

  PrfKey Clone() const { return PrfKey(bytes_); }

  // The secret itself: for derivation and codecs alone.
  const std::array<uint8_t, kPrfKeyBytes>& bytes() const { return bytes_; }

 private:
  std::array<uint8_t, kPrfKeyBytes> bytes_{};
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_
