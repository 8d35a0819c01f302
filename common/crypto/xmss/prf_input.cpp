#include "common/crypto/xmss/prf_input.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace lean::xmss {
namespace {

constexpr std::array<uint8_t, 16> kDomain = {0xae, 0xae, 0x22, 0xff, 0x00, 0x01, 0xfa, 0xff,
                                             0x21, 0xaf, 0x12, 0x00, 0x01, 0x11, 0xff, 0x00};
constexpr uint8_t kChainStarts = 0;
constexpr uint8_t kRandomness = 1;

}  // namespace

PrfInput::PrfInput(const std::array<uint8_t, kPrfKeyBytes>& key, uint32_t slot, uint64_t chain) {
  AppendStart(kChainStarts, key, slot);
  AppendBigEndian(chain, 8);
}

PrfInput::PrfInput(const std::array<uint8_t, kPrfKeyBytes>& key, uint32_t slot, const Root& message, uint64_t counter) {
  AppendStart(kRandomness, key, slot);
  Append(message.span());
  AppendBigEndian(counter, 8);
}

PrfInput::~PrfInput() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

void PrfInput::AppendStart(uint8_t purpose, const std::array<uint8_t, kPrfKeyBytes>& key, uint32_t slot) {
  Append(kDomain);
  AppendBigEndian(purpose, 1);
  Append(key);
  AppendBigEndian(slot, 4);
}

void PrfInput::Append(ByteSpan bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<ptrdiff_t>(size_));
  size_ += bytes.size();
}

void PrfInput::AppendBigEndian(uint64_t value, size_t width) {
  for (size_t i = width; i-- > 0;) bytes_[size_++] = static_cast<uint8_t>(value >> (8 * i));
}

}  // namespace lean::xmss
