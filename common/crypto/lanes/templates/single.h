// One permutation at a time, as fast as its chain of dependencies allows: for the sponge and the path of a lone
// signature. The words of one state lie side by side in a few vectors.
#ifndef LEAN_COMMON_CRYPTO_LANES_TEMPLATES_SINGLE_H_
#define LEAN_COMMON_CRYPTO_LANES_TEMPLATES_SINGLE_H_

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/templates/arithmetic.h"
#include "common/crypto/lanes/templates/permutation.h"

namespace lean::crypto::lanes {
namespace {

// Lane here is one of 4 or 8 lanes: sums over the state then need at most one step across a vector's halves, and
// shuffles are cheaper in narrow vectors.
template <typename Lane, size_t kWidth>
class SinglePermutation {
 public:
  static void Permute(uint32_t (&words)[kWidth]) {
    SinglePermutation state(words);
    state.ExternalLayer();
    state.FullRounds(kConstants.initial);
    state.PartialRounds();
    state.FullRounds(kConstants.terminal);
    __builtin_memcpy(words, state.vectors_, sizeof(words));
  }

 private:
  using Vector = typename Lane::Vector;
  using Wide = typename Lane::Wide;
  static constexpr size_t kLanes = Lane::kLanes;
  static constexpr size_t kVectors = kWidth / kLanes;
  static_assert(kLanes == 4 || kLanes == 8);
  static constexpr auto& kConstants = kRoundConstants<Lane, kWidth>;

  // The diagonal with zero for word 0, which is held apart, and its products with the factor of Montgomery's quotient.
  struct Diagonal {
    uint32_t factors[kWidth];
    uint32_t quotients[kWidth];
  };
  static constexpr Diagonal MakeDiagonal() {
    Diagonal diagonal{};
    for (size_t i = 1; i < kWidth; ++i) {
      const uint32_t factor = RawOf(poseidon2::Constants<kWidth>::kDiagonal[i]);
      diagonal.factors[i] = factor;
      diagonal.quotients[i] = factor * kQuotientFactor<Lane>;
    }
    return diagonal;
  }
  static constexpr Diagonal kDiagonal = MakeDiagonal();

  explicit SinglePermutation(const uint32_t (&words)[kWidth]) { __builtin_memcpy(vectors_, words, sizeof(words)); }

  static Vector Load(const uint32_t* words) {
    Vector vector;
    __builtin_memcpy(&vector, words, sizeof(vector));
    return vector;
  }

  LEAN_LANES_INLINE void ExternalLayer() {
#pragma GCC unroll 6
    for (Vector& x : vectors_) {
      // M's row i: the block's sum, plus word i, plus twice word i + 1.
      const Vector pairs = Add<Lane>(x, Lane::template RotateBlocks<2>(x));
      const Vector next = Lane::template RotateBlocks<1>(x);
      const Vector sum = Add<Lane>(pairs, Lane::template RotateBlocks<1>(pairs));
      x = Add<Lane>(sum, Add<Lane>(x, Add<Lane>(next, next)));
    }
    Vector columns = vectors_[0];
#pragma GCC unroll 6
    for (size_t i = 1; i < kVectors; ++i) columns = Add<Lane>(columns, vectors_[i]);
    if constexpr (kLanes == 8) columns = Add<Lane>(columns, Lane::SwapHalves(columns));
#pragma GCC unroll 6
    for (Vector& x : vectors_) x = Add<Lane>(x, columns);
  }

  LEAN_LANES_INLINE void FullRounds(const uint32_t (&constants)[poseidon2::kHalfFullRounds][kWidth]) {
#pragma GCC unroll 1
    for (const auto& round : constants) {
#pragma GCC unroll 6
      for (size_t i = 0; i < kVectors; ++i) vectors_[i] = SBox<Lane>(vectors_[i], Load(round + i * kLanes));
      ExternalLayer();
    }
  }

  LEAN_LANES_INLINE static Vector TimesDiagonal(Vector x, size_t i) {
    const Vector factors = Load(kDiagonal.factors + i * kLanes), quotients = Load(kDiagonal.quotients + i * kLanes);
    const Products<Lane> products = Multiply<Lane>(x, factors), multiples = Multiply<Lane>(x, quotients);
    const Wide modulus = Wide{} + kP;
    const Wide even = Lane::Product(multiples.even, modulus), odd = Lane::Product(multiples.odd, modulus);
    return Merge<Lane>(Combine<Lane>(products.even, even), Combine<Lane>(products.odd, odd));
  }

  LEAN_LANES_INLINE uint64_t SumOfWords() const {
    Wide sums{};
#pragma GCC unroll 6
    for (const Vector& x : vectors_) sums += (Even<Lane>(x) & 0xffffffff) + (Even<Lane>(x) >> 32);
    uint64_t sum = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < kLanes / 2; ++i) sum += sums[i];
    return sum;
  }

  LEAN_LANES_INLINE static int64_t AddModulusIfNegative(int64_t value) { return value + ((value >> 63) & kP); }

  // value modulo p for value < 70 p: with value = 2^31 a + b, value - a p = b + a (2^24 - 1) is below 2p.
  LEAN_LANES_INLINE static int64_t Modulo(uint64_t value) {
    static_assert(3 * (kWidth - 1) < 70 && (uint64_t{1} << 31) + 71 * (uint64_t{1} << 24) < 2 * uint64_t{kP});
    return AddModulusIfNegative(static_cast<int64_t>(value - (value >> 31) * kP) - kP);
  }
  LEAN_LANES_INLINE static uint32_t QuotientOf(int64_t product) {
    return static_cast<uint32_t>(product) * Fp::kModulusInverse;
  }
  // x^3 in Montgomery form, canonical, for x in [-p, p).
  LEAN_LANES_INLINE static int64_t Cube(int64_t x) {
    const int64_t squared = x * x;  // not negative: with a quotient in [0, 2^32) the result stays in (-p, p)
    const int64_t square = (squared - static_cast<int64_t>(uint64_t{QuotientOf(squared)} * kP)) >> 32;
    const int64_t product = square * x;
    const int64_t reduced = product - int64_t{static_cast<int32_t>(QuotientOf(product))} * kP;
    return (reduced >> 32) + ((reduced >> 63) & kP);
  }

  // Word 0 goes through scalar registers, all others through vectors beside it. With u = sbox(word 0) and T the sum of
  // the others, S = T + u: word 0 becomes T - u, word i becomes S + d_i s_i, and T becomes (kWidth - 1) S + sum d_i
  // s_i, so that only the S-box lies on the way from one u to the next.
  LEAN_LANES_INLINE void PartialRounds() {
    constexpr size_t kRounds = RoundConstants<kWidth>::kPartialRounds;
    constexpr uint32_t kOffset = Lane::kSignedProducts ? kP : 0;  // see kRoundConstants
    const uint32_t first = vectors_[0][0];
    vectors_[0][0] = 0;
    int64_t rest = Modulo(SumOfWords());
    int64_t x = int64_t{first} + (kConstants.internal[0] + kOffset) - kP;
    int64_t word0 = 0;
#pragma GCC unroll 1
    for (size_t r = 0; r < kRounds; ++r) {
      const int64_t cube = Cube(x);
      const uint32_t next_constant = r + 1 < kRounds ? kConstants.internal[r + 1] + kOffset : 0;
      x = AddModulusIfNegative(rest + next_constant - kP) - cube;
      word0 = rest - cube;
#pragma GCC unroll 6
      for (size_t i = 0; i < kVectors; ++i) vectors_[i] = TimesDiagonal(vectors_[i], i);
      const uint64_t next_rest = static_cast<uint64_t>(rest + cube) * (kWidth - 1) + SumOfWords();
      // T and u are added one after the other, since T is known long before.
      const Vector rests = Broadcast<Lane>(static_cast<uint32_t>(rest));
      const Vector cubes = Broadcast<Lane>(static_cast<uint32_t>(cube));
#pragma GCC unroll 6
      for (size_t i = 0; i < kVectors; ++i) vectors_[i] = Add<Lane>(Add<Lane>(vectors_[i], rests), cubes);
      rest = Modulo(next_rest);
    }
    vectors_[0][0] = static_cast<uint32_t>(AddModulusIfNegative(word0));
  }

  Vector vectors_[kVectors];
};

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_TEMPLATES_SINGLE_H_
