#include "common/crypto/xmss/one_time/prf.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "common/secrets/secret_memory.h"

namespace lean::xmss {
namespace {

constexpr std::array<uint8_t, 16> kDomain = {0xae, 0xae, 0x22, 0xff, 0x00, 0x01, 0xfa, 0xff,
                                             0x21, 0xaf, 0x12, 0x00, 0x01, 0x11, 0xff, 0x00};
constexpr uint8_t kChainStarts = 0;
constexpr uint8_t kRandomness = 1;

}  // namespace

PrfKey::PrfKey(const Bytes& bytes) : bytes_(new (SecretAllocator<Bytes>().allocate(1)) Bytes(bytes)) {}

void PrfKey::Free::operator()(Bytes* bytes) const { SecretAllocator<Bytes>().deallocate(bytes, 1); }

const PrfKey::Bytes& PrfKey::bytes() const {
  static constexpr Bytes kZero{};
  return bytes_ != nullptr ? *bytes_ : kZero;
}

PrfKey PrfKeyOf(ByteSpan bytes) {
  PrfKey::Bytes copy{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), copy.size()), copy.begin());
  PrfKey key(copy);
  OPENSSL_cleanse(copy.data(), copy.size());
  return key;
}

PrfPrefix::PrfPrefix(const PrfKey& key, uint32_t slot) { AppendStart(kChainStarts, key, slot); }

PrfPrefix::PrfPrefix(const PrfKey& key, uint32_t slot, const Root& message) {
  AppendStart(kRandomness, key, slot);
  Append(message.span());
}

PrfPrefix::~PrfPrefix() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

void PrfPrefix::Append(ByteSpan bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<ptrdiff_t>(size_));
  size_ += bytes.size();
}

void PrfPrefix::AppendStart(uint8_t purpose, const PrfKey& key, uint32_t slot) {
  Append(kDomain);
  Append({purpose});
  Append(key.bytes());
  Append({static_cast<uint8_t>(slot >> 24), static_cast<uint8_t>(slot >> 16), static_cast<uint8_t>(slot >> 8),
          static_cast<uint8_t>(slot)});
}

}  // namespace lean::xmss
