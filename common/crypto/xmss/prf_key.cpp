#include "common/crypto/xmss/prf_key.h"

#include <openssl/crypto.h>

namespace lean::xmss {

PrfKey::PrfKey(PrfKey&& other) noexcept : bytes_(other.bytes_) {
  OPENSSL_cleanse(other.bytes_.data(), other.bytes_.size());
}

PrfKey& PrfKey::operator=(PrfKey&& other) noexcept {
  if (this == &other) return *this;
  bytes_ = other.bytes_;
  OPENSSL_cleanse(other.bytes_.data(), other.bytes_.size());
  return *this;
}

PrfKey::~PrfKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

}  // namespace lean::xmss
