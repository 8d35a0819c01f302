// The seed of a key, and the values that SHAKE128 derives from it: chains and the signer's randomness (leanSig f10dcbe:
// prf/shake_to_field.rs).
#ifndef LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_PRF_H_
#define LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_PRF_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/bytes/bytes.h"
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

// Copies kPrfKeyBytes bytes, which the caller wipes.
PrfKey PrfKeyOf(ByteSpan bytes);

// The 32 bytes from which the PRF key itself is drawn, in the same kind of memory (keys/key_seed.h).
using MasterSeed = PrfKey;

// The input's parts one after the other. Wiped at destruction, since the key is one of them.
class PrfPrefix {
 public:
  // Of the starts of a slot's chains, which are counted by the number that follows: domain, 0, key, slot.
  PrfPrefix(const PrfKey& key, uint32_t slot);
  // Of the signer's randomness, which is counted by its tries: domain, 1, key, slot, message.
  PrfPrefix(const PrfKey& key, uint32_t slot, const Root& message);

  PrfPrefix(const PrfPrefix&) = delete;
  PrfPrefix& operator=(const PrfPrefix&) = delete;
  ~PrfPrefix();

  const uint8_t* data() const { return bytes_.data(); }
  size_t size() const { return size_; }

 private:
  void Append(ByteSpan bytes);
  void AppendStart(uint8_t purpose, const PrfKey& key, uint32_t slot);

  std::array<uint8_t, 16 + 1 + kPrfKeyBytes + 4 + 32> bytes_{};
  size_t size_ = 0;
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_ONE_TIME_PRF_H_
