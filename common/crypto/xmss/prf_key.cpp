#include "common/crypto/xmss/prf_key.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "absl/types/span.h"
#include "common/crypto/field/koala_bear.h"
#include "common/crypto/keccak/shake128.h"

namespace lean::xmss {
namespace {

constexpr std::array<uint8_t, 16> kDomain = {0xae, 0xae, 0x22, 0xff, 0x00, 0x01, 0xfa, 0xff,
                                             0x21, 0xaf, 0x12, 0x00, 0x01, 0x11, 0xff, 0x00};
constexpr uint8_t kChainStarts = 0;
constexpr uint8_t kRandomness = 1;
constexpr size_t kBytesPerElement = 16;

// Concatenates the parts of an input; wiped, since the key is one of them.
class PrfInput {
 public:
  PrfInput() = default;
  PrfInput(const PrfInput&) = delete;
  PrfInput& operator=(const PrfInput&) = delete;
  ~PrfInput() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  PrfInput& Append(ByteSpan bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + size_);
    size_ += bytes.size();
    return *this;
  }
  PrfInput& AppendBigEndian(uint64_t value, size_t width) {
    for (size_t i = width; i-- > 0;) bytes_[size_++] = static_cast<uint8_t>(value >> (8 * i));
    return *this;
  }
  ByteSpan span() const { return ByteSpan(bytes_).first(size_); }

 private:
  std::array<uint8_t, 16 + 1 + kPrfKeyBytes + 4 + 32 + 8> bytes_{};
  size_t size_ = 0;
};

// Fills `words` with big-endian numbers of 16 bytes modulo p.
void Expand(const PrfInput& input, absl::Span<uint32_t> words) {
  std::array<uint8_t, kMaxHashLen * kBytesPerElement> bytes;
  crypto::Shake128(input.span(), absl::MakeSpan(bytes).first(words.size() * kBytesPerElement));
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t remainder = 0;
    for (size_t j = 0; j < kBytesPerElement; j += 4) {
      const uint8_t* limb = &bytes[i * kBytesPerElement + j];
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
  PrfInput input;
  input.Append(kDomain).AppendBigEndian(kChainStarts, 1).Append(bytes_);
  input.AppendBigEndian(slot, 4).AppendBigEndian(chain, 8);
  Node start{};
  Expand(input, absl::MakeSpan(start).first(scheme.hash_len()));
  return start;
}

Randomness PrfKey::RandomnessOf(const Scheme& scheme, uint32_t slot, const Root& message, uint64_t counter) const {
  PrfInput input;
  input.Append(kDomain).AppendBigEndian(kRandomness, 1).Append(bytes_);
  input.AppendBigEndian(slot, 4).Append(message.span()).AppendBigEndian(counter, 8);
  Randomness randomness{};
  Expand(input, absl::MakeSpan(randomness).first(scheme.randomness_len()));
  return randomness;
}

}  // namespace lean::xmss
