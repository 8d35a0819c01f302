#include "common/crypto/xmss/prf_key.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "absl/types/span.h"
#include "common/crypto/field/koala_bear.h"
#include "common/crypto/keccak/shake128.h"
#include "common/crypto/xmss/prf_input.h"

namespace lean::xmss {
namespace {

// Fills `words` with big-endian numbers of 16 bytes modulo p.
void Expand(const PrfInput& input, absl::Span<uint32_t> words) {
  std::array<uint8_t, kMaxHashLen * kPrfBytesPerElement> bytes;
  crypto::Shake128(input.span(), absl::MakeSpan(bytes).first(words.size() * kPrfBytesPerElement));
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t remainder = 0;
    for (size_t j = 0; j < kPrfBytesPerElement; j += 4) {
      const uint8_t* limb = &bytes[i * kPrfBytesPerElement + j];
      remainder = (remainder << 32 | static_cast<uint32_t>(limb[0]) << 24 | limb[1] << 16 | limb[2] << 8 | limb[3]) %
                  crypto::Fp::kModulus;
    }
    words[i] = static_cast<uint32_t>(remainder);
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace

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

Node PrfKey::ChainStart(const Scheme& scheme, uint32_t slot, uint64_t chain) const {
  const PrfInput input(bytes_, slot, chain);
  Node start{};
  Expand(input, absl::MakeSpan(start).first(scheme.hash_len()));
  return start;
}

Randomness PrfKey::RandomnessOf(const Scheme& scheme, uint32_t slot, const Root& message, uint64_t counter) const {
  const PrfInput input(bytes_, slot, message, counter);
  Randomness randomness{};
  Expand(input, absl::MakeSpan(randomness).first(scheme.randomness_len()));
  return randomness;
}

}  // namespace lean::xmss
