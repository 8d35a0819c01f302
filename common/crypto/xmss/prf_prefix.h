// What the PRF's SHAKE128 reads before its last number (leanSig f10dcbe: prf/shake_to_field.rs).
#ifndef LEAN_COMMON_CRYPTO_XMSS_PRF_PREFIX_H_
#define LEAN_COMMON_CRYPTO_XMSS_PRF_PREFIX_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/bytes/bytes.h"
#include "common/crypto/xmss/prf_key.h"
#include "common/crypto/xmss/scheme.h"

namespace lean::xmss {

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

#endif  // LEAN_COMMON_CRYPTO_XMSS_PRF_PREFIX_H_
