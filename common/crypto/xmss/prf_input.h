// What the PRF's SHAKE128 reads (leanSig f10dcbe: prf/shake_to_field.rs).
#ifndef LEAN_COMMON_CRYPTO_XMSS_PRF_INPUT_H_
#define LEAN_COMMON_CRYPTO_XMSS_PRF_INPUT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"

namespace lean::xmss {

inline constexpr size_t kPrfBytesPerElement = 16;  // of output, a big-endian number taken modulo p

// The input's parts one after the other. Wiped at destruction, since the key is one of them.
class PrfInput {
 public:
  // Of the start of a chain: domain, 0, key, slot, chain.
  PrfInput(const std::array<uint8_t, kPrfKeyBytes>& key, uint32_t slot, uint64_t chain);
  // Of the signer's randomness: domain, 1, key, slot, message, counter.
  PrfInput(const std::array<uint8_t, kPrfKeyBytes>& key, uint32_t slot, const Root& message, uint64_t counter);

  PrfInput(const PrfInput&) = delete;
  PrfInput& operator=(const PrfInput&) = delete;
  ~PrfInput();

  ByteSpan span() const { return ByteSpan(bytes_).first(size_); }

  // Where the numbers stand that differ from lane to lane, all of them big-endian.
  static constexpr size_t kSlotAt = 16 + 1 + kPrfKeyBytes;  // 4 bytes
  static constexpr size_t kChainAt = kSlotAt + 4;           // 8 bytes
  static constexpr size_t kCounterAt = kSlotAt + 4 + 32;    // 8 bytes

 private:
  void AppendStart(uint8_t purpose, const std::array<uint8_t, kPrfKeyBytes>& key, uint32_t slot);
  void Append(ByteSpan bytes);
  void AppendBigEndian(uint64_t value, size_t width);

  std::array<uint8_t, kCounterAt + 8> bytes_{};
  size_t size_ = 0;
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_PRF_INPUT_H_
