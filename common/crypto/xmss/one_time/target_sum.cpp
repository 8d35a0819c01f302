#include "common/crypto/xmss/one_time/target_sum.h"

#include <algorithm>

#include "common/crypto/field/koala_bear.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/xmss/one_time/wide_int.h"

namespace lean::xmss {
namespace {

constexpr uint32_t kTargetLayer = kDimension * kChainEnd - kTargetSum;

// kLayerSizes[n][d]: points of {0..7}^n in layer d, the layer being the sum of 7 - x over the coordinates.
using LayerSizes = std::array<std::array<WideInt, kFinalLayer + 1>, kDimension + 1>;

constexpr LayerSizes CountPoints() {
  LayerSizes sizes{};
  sizes[0][0] = WideInt(1);
  for (size_t n = 1; n <= kDimension; ++n) {
    WideInt window;  // of the last kBase layers in n - 1 dimensions
    for (size_t layer = 0; layer <= kFinalLayer; ++layer) {
      window = window + sizes[n - 1][layer];
      if (layer >= kBase) window = window - sizes[n - 1][layer - kBase];
      sizes[n][layer] = window;
    }
  }
  return sizes;
}

constexpr LayerSizes kLayerSizes = CountPoints();

// Points in the layers below `layer`.
constexpr WideInt PointsBelow(size_t layer) {
  WideInt sum;
  for (size_t i = 0; i < layer; ++i) sum = sum + kLayerSizes[kDimension][i];
  return sum;
}

constexpr WideInt kPoints = PointsBelow(kFinalLayer + 1);
constexpr WideInt kTargetLayerBegin = PointsBelow(kTargetLayer);
constexpr WideInt kTargetLayerEnd = PointsBelow(kTargetLayer + 1);

// p^k mod kPoints at index k.
constexpr std::array<WideInt, kMessageHashLen> ModulusPowers() {
  std::array<WideInt, kMessageHashLen> powers{};
  powers[0] = WideInt(1);
  for (size_t k = 1; k < powers.size(); ++k) {
    // Double and add, bit by bit: slow, but this runs in the compiler.
    WideInt power;
    for (int bit = 30; bit >= 0; --bit) {
      power = power + power;
      if ((crypto::Fp::kModulus >> bit & 1) != 0) power = power + powers[k - 1];
      while (!(power < kPoints)) power = power - kPoints;
    }
    powers[k] = power;
  }
  return powers;
}

constexpr std::array<WideInt, kMessageHashLen> kModulusPowers = ModulusPowers();

// Reduction modulo kPoints, a number of 136 bits: q = (x >> 107) * floor(2^199 / kPoints) >> 92 is the quotient of
// x < 2^171 or up to 2 less.
constexpr uint64_t Reciprocal() {
  WideInt remainder(1);
  uint64_t quotient = 0;
  for (int bit = 0; bit < 199; ++bit) {
    remainder = remainder + remainder;
    quotient <<= 1;
    if (!(remainder < kPoints)) {
      remainder = remainder - kPoints;
      quotient |= 1;
    }
  }
  return quotient;
}

static_assert(kPoints.limbs[2] >> 7 == 1, "kPoints has 136 bits");
constexpr uint64_t kReciprocal = Reciprocal();

WideInt ReduceModPoints(const WideInt& value) {
  const uint64_t high = value.limbs[1] >> 43 | value.limbs[2] << 21;
  const auto quotient = static_cast<uint64_t>((static_cast<unsigned __int128>(high) * kReciprocal) >> 92);
  WideInt remainder = value - kPoints * quotient;
  while (!(remainder < kPoints)) remainder = remainder - kPoints;
  return remainder;
}

using crypto::Fp;

constexpr uint64_t kMessageTweak = 2;  // the last byte of the tweak's number, which tells its uses apart

// The message, a little-endian number, in base p.
std::array<uint32_t, kMessageLen> MessageDigits(const Root& message) {
  std::array<uint32_t, 8> limbs;  // least significant first
  for (size_t i = 0; i < limbs.size(); ++i) {
    const uint8_t* bytes = &message.data[4 * i];
    limbs[i] = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
  }
  std::array<uint32_t, kMessageLen> digits;
  for (uint32_t& digit : digits) {
    uint64_t remainder = 0;
    for (size_t i = limbs.size(); i-- > 0;) {
      const uint64_t dividend = remainder << 32 | limbs[i];
      limbs[i] = static_cast<uint32_t>(dividend / Fp::kModulus);
      remainder = dividend % Fp::kModulus;
    }
    digit = static_cast<uint32_t>(remainder);
  }
  return digits;
}

}  // namespace

bool EncodeTargetSum(const std::array<uint32_t, kMessageHashLen>& hash, Codeword& codeword) {
  WideInt sum;  // below 15 * 2^31 * 2^136
  for (size_t i = 0; i < kMessageHashLen; ++i) sum = sum + kModulusPowers[kMessageHashLen - 1 - i] * hash[i];
  const WideInt point = ReduceModPoints(sum);
  if (point < kTargetLayerBegin || !(point < kTargetLayerEnd)) return false;

  WideInt offset = point - kTargetLayerBegin;
  uint32_t layer = kTargetLayer;
  for (size_t i = 0; i + 1 < kDimension; ++i) {
    const auto dimensions_left = static_cast<uint32_t>(kDimension - 1 - i);
    // The rest of the coordinates cannot take more than 7 each off the layer.
    uint32_t drop = layer > kChainEnd * dimensions_left ? layer - kChainEnd * dimensions_left : 0;
    while (!(offset < kLayerSizes[dimensions_left][layer - drop])) {
      offset = offset - kLayerSizes[dimensions_left][layer - drop];
      ++drop;
    }
    codeword[i] = static_cast<uint8_t>(kChainEnd - drop);
    layer -= drop;
  }
  codeword[kDimension - 1] = static_cast<uint8_t>(kChainEnd - offset.limbs[0] - layer);
  return true;
}

MessageHashState MessageHashInput(const Scheme& scheme, const Parameter& parameter, uint64_t slot,
                                  const Root& message) {
  MessageHashState input{};
  auto* word = input.begin() + scheme.randomness_len();
  word = std::copy(parameter.begin(), parameter.end(), word);
  const uint64_t tweak = slot << 8 | kMessageTweak;
  *word++ = static_cast<uint32_t>(tweak % Fp::kModulus);
  *word++ = static_cast<uint32_t>(tweak / Fp::kModulus);
  const std::array<uint32_t, kMessageLen> digits = MessageDigits(message);
  std::copy(digits.begin(), digits.end(), word);
  // The number of the hash would follow; this scheme needs only one, number zero.
  return input;
}

void SetRandomness(const Scheme& scheme, absl::Span<const uint32_t> randomness, MessageHashState& input) {
  std::copy_n(randomness.begin(), scheme.randomness_len(), input.begin());
}

void CompressInputs(absl::Span<MessageHashState> states) {
  constexpr size_t kFew = 4;
  const crypto::lanes::Kernels& kernels = crypto::lanes::BestKernels();
  if (states.size() > kFew) {
    kernels.compress24(states.data()->data(), states.size(), states.data()->data());
    return;
  }
  for (MessageHashState& state : states) {
    const MessageHashState input = state;
    kernels.permute24_single(state.data(), 1);
    for (size_t i = 0; i < state.size(); ++i) {
      const uint32_t sum = state[i] + input[i];
      state[i] = std::min(sum, sum - Fp::kModulus);
    }
  }
}

bool EncodeHash(const MessageHashState& compressed, Codeword& codeword) {
  std::array<uint32_t, kMessageHashLen> hash;
  std::copy_n(compressed.begin(), hash.size(), hash.begin());
  return EncodeTargetSum(hash, codeword);
}

}  // namespace lean::xmss
