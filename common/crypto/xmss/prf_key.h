// The seed of a key, from which its chains and the signer's randomness are derived.
#ifndef LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_
#define LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_

#include <array>
#include <cstdint>
#include <memory>

#include "common/crypto/xmss/scheme.h"

namespace lean::xmss {

// Kept in secret memory (common/secrets). Move-only, so that copies are deliberate. All zero when moved from.
class PrfKey {
 public:
  using Bytes = std::array<uint8_t, kPrfKeyBytes>;

  PrfKey() = default;  // all zero
  // The caller wipes `bytes`.
  explicit PrfKey(const Bytes& bytes);

  PrfKey Clone() const { return PrfKey(bytes()); }

  // The secret itself: for derivation and codecs alone.
  const Bytes& bytes() const;

 private:
  struct Free {
    void operator()(Bytes* bytes) const;
  };

  std::unique_ptr<Bytes, Free> bytes_;  // null: all zero
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_PRF_KEY_H_
