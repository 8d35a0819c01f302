// SHAKE128 over lanes, and field elements from its output.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_DERIVATION_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_DERIVATION_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/templates/arithmetic.h"
#include "common/crypto/lanes/templates/keccak.h"

namespace lean::crypto::lanes {
namespace {

constexpr size_t kShakeWords = keccak::kShake128RateBytes / 8;

// Half of a vector's lanes, the even or the odd ones, hash together: a Lane::Wide holds one 64-bit word of each.
template <typename Lane>
struct KeccakLane {
  using Vector = typename Lane::Wide;
  static Vector Xor3(Vector a, Vector b, Vector c) { return Lane::Xor3(a, b, c); }
  static Vector Chi(Vector a, Vector b, Vector c) { return Lane::Chi(a, b, c); }
  static Vector Rotate(Vector a, int bits) { return bits == 0 ? a : (a << bits) | (a >> (64 - bits)); }
  static Vector Broadcast(uint64_t constant) { return Vector{} + constant; }
};

template <typename Lane>
[[gnu::noinline]] void PermuteKeccak(typename Lane::Wide (&state)[keccak::kStateWords]) {
  keccak::Permute<KeccakLane<Lane>>(state);
}

template <typename Lane>
LEAN_LANES_INLINE typename Lane::Wide SwapBytes(typename Lane::Wide wide) {
  using Vector = typename Lane::Vector;
  const Vector v = reinterpret_cast<Vector>(wide);
  const Vector left8 = (v << 8) | (v >> 24), right8 = (v >> 8) | (v << 24);
  return reinterpret_cast<typename Lane::Wide>((left8 & 0x00ff00ff) | (right8 & 0xff00ff00));
}

// What the 32-bit limbs of a 16-byte number, most significant first, are multiplied by before Reduce.
constexpr uint32_t kLimbWeights[4] = {RawOf(PowerOfTwo(128)), RawOf(PowerOfTwo(96)), RawOf(PowerOfTwo(64)),
                                      RawOf(PowerOfTwo(32))};

// Word `index` of a derivation: bytes 16 index.. of the output, big-endian, modulo p, in Montgomery form. Signed
// products take a limb less 2^31, which a constant puts right.
template <typename Lane>
LEAN_LANES_INLINE typename Lane::Vector DerivedWord(const typename Lane::Wide* even, const typename Lane::Wide* odd) {
  using Vector = typename Lane::Vector;
  using Wide = typename Lane::Wide;
  constexpr uint32_t kOffset = Lane::kSignedProducts ? 0x80000000 : 0;
  constexpr uint64_t kLimbSum = uint64_t{PowerOfTwo(0)} + PowerOfTwo(32) + PowerOfTwo(64) + PowerOfTwo(96);
  constexpr uint32_t kCorrection = RawOf(Product(kOffset % kP, kLimbSum % kP));
  Vector result = Broadcast<Lane>(kCorrection);
#pragma GCC unroll 4
  for (unsigned limb = 0; limb < 4; ++limb) {
    const unsigned shift = limb % 2 == 0 ? 0 : 32;
    const Wide even_limb = (SwapBytes<Lane>(even[limb / 2]) >> shift) ^ kOffset;
    const Wide odd_limb = (SwapBytes<Lane>(odd[limb / 2]) >> shift) ^ kOffset;
    result = Add<Lane>(result, Merge<Lane>(Reduce<Lane>(Lane::Product(even_limb, Wide{} + kLimbWeights[limb])),
                                           Reduce<Lane>(Lane::Product(odd_limb, Wide{} + kLimbWeights[limb]))));
  }
  return result;
}

// One block of input to SHAKE128, padding included, as words that all lanes share: OR in what differs, then Derive.
template <typename Lane>
class DerivationBlock {
 public:
  using Wide = typename Lane::Wide;

  // `bytes` of at most 160 bytes.
  DerivationBlock(const uint8_t* bytes, size_t size) {
    uint8_t block[keccak::kShake128RateBytes] = {};
    for (size_t i = 0; i < size; ++i) block[i] = bytes[i];
    block[size] = keccak::kShakeDomain;
    block[keccak::kShake128RateBytes - 1] |= 0x80;
    for (size_t i = 0; i < kShakeWords; ++i) {
      uint64_t word = 0;
      for (size_t j = 8; j-- > 0;) word = word << 8 | block[8 * i + j];
      even_[i] = odd_[i] = Wide{} + word;
    }
    Wipe(block);
  }
  ~DerivationBlock() {
    Wipe(even_);
    Wipe(odd_);
  }

  // ORs `value`, as 8 bytes from `offset` on, big-endian, into one lane's block.
  void Put(size_t lane, size_t offset, uint64_t value) {
    const uint64_t swapped = __builtin_bswap64(value);
    const size_t shift = 8 * (offset % 8);
    Wide* words = (lane % 2 == 0 ? even_ : odd_) + offset / 8;
    words[0][lane / 2] |= swapped << shift;
    if (shift != 0) words[1][lane / 2] |= swapped >> (64 - shift);
  }

  void Derive(size_t count, typename Lane::Vector* words) const {
    Wide even[keccak::kStateWords] = {}, odd[keccak::kStateWords] = {};
    for (size_t i = 0; i < kShakeWords; ++i) {
      even[i] = even_[i];
      odd[i] = odd_[i];
    }
    PermuteKeccak<Lane>(even);
    PermuteKeccak<Lane>(odd);
    for (size_t i = 0; i < count; ++i) words[i] = DerivedWord<Lane>(even + 2 * i, odd + 2 * i);
    Wipe(even);
    Wipe(odd);
  }

 private:
  template <typename Array>
  static void Wipe(Array& array) {
    __builtin_memset(array, 0, sizeof(array));
    asm volatile("" : : "r"(array) : "memory");
  }

  Wide even_[kShakeWords], odd_[kShakeWords];
};

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_DERIVATION_H_
