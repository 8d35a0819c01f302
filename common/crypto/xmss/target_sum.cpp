#include "common/crypto/xmss/target_sum.h"

#include <algorithm>

#include "common/crypto/field/koala_bear.h"
#include "common/crypto/xmss/wide_int.h"

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

}  // namespace lean::xmss
