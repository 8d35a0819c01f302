#include "common/crypto/xmss/prf_lanes.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "common/crypto/keccak/permutation.h"

namespace lean::xmss {
namespace {

namespace keccak = crypto::keccak;

void PutBigEndian(absl::Span<uint8_t> bytes, uint64_t value) {
  for (size_t i = bytes.size(); i-- > 0; value >>= 8) bytes[i] = static_cast<uint8_t>(value);
}

Fp Scaled(uint64_t limb, Fp weight) { return Fp::FromRaw(static_cast<uint32_t>(limb)) * weight; }

// The bytes of two words of output, read as one big-endian number. A weight is that of a 32-bit limb in the number,
// times the radix, so that multiplying by it also brings the limb into Montgomery form.
Fp ToElement(uint64_t first, uint64_t second) {
  constexpr Fp kWeight0 = Fp::FromUint64(uint64_t{1} << 32);
  constexpr Fp kWeight1 = kWeight0 * kWeight0;
  constexpr Fp kWeight2 = kWeight1 * kWeight0;
  constexpr Fp kWeight3 = kWeight2 * kWeight0;
  const uint64_t high = __builtin_bswap64(first);
  const uint64_t low = __builtin_bswap64(second);
  return Scaled(low, kWeight0) + Scaled(low >> 32, kWeight1) + Scaled(high, kWeight2) + Scaled(high >> 32, kWeight3);
}

}  // namespace

PrfLanes::PrfLanes(const PrfInput& input) {
  static_assert(sizeof(block_) == keccak::kShake128RateBytes);
  std::copy(input.span().begin(), input.span().end(), block_.begin());
  block_[input.span().size()] = keccak::kShakeDomain;
  block_.back() |= 0x80;
}

PrfLanes::~PrfLanes() {
  OPENSSL_cleanse(&block_, sizeof(block_));
  OPENSSL_cleanse(&state_, sizeof(state_));
}

void PrfLanes::SetNumber(size_t position, size_t width, uint64_t value) {
  PutBigEndian(absl::MakeSpan(block_).subspan(position, width), value);
}

void PrfLanes::Expand(size_t position, size_t width, uint64_t first_value, absl::Span<Row> rows) {
  const size_t first_word = position / 8;
  const size_t last_word = (position + width - 1) / 8;
  for (size_t first_lane = 0; first_lane < kLanes; first_lane += kKeccakLanes) {
    for (size_t i = 0; i < state_.size(); ++i) {
      uint64_t word = 0;
      if (8 * i < block_.size()) std::memcpy(&word, &block_[8 * i], 8);
      state_[i].fill(word);
    }
    for (size_t lane = 0; lane < kKeccakLanes; ++lane) {
      SetNumber(position, width, first_value + first_lane + lane);
      for (size_t i = first_word; i <= last_word; ++i) std::memcpy(&state_[i][lane], &block_[8 * i], 8);
    }
    PermuteLanes(state_);
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t lane = 0; lane < kKeccakLanes; ++lane) {
        rows[i].lane[first_lane + lane] = ToElement(state_[2 * i][lane], state_[2 * i + 1][lane]);
      }
    }
  }
}

}  // namespace lean::xmss
