// Eight lanes in AVX2.
#ifndef LEAN_COMMON_CRYPTO_LANES_INSTRUCTION_SETS_LANE_AVX2_H_
#define LEAN_COMMON_CRYPTO_LANES_INSTRUCTION_SETS_LANE_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace lean::crypto::lanes {
namespace {

struct Avx2Lane {
  using SingleLane = Avx2Lane;  // for one permutation alone
  static constexpr size_t kLanes = 8;
  static constexpr bool kSignedProducts = true;
  static constexpr size_t kTableBits = 3;
  typedef uint32_t Vector __attribute__((vector_size(32)));
  typedef uint64_t Wide __attribute__((vector_size(32)));

  static Vector Min(Vector a, Vector b) {
    return reinterpret_cast<Vector>(_mm256_min_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
  }
  static Wide Product(Wide a, Wide b) {
    return reinterpret_cast<Wide>(_mm256_mul_epi32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
  }
  static Wide Odd(Vector a) { return reinterpret_cast<Wide>(_mm256_movehdup_ps(reinterpret_cast<__m256>(a))); }
  static Vector MergeHigh(Wide even, Wide odd) {
    return reinterpret_cast<Vector>(
        _mm256_blend_epi32(reinterpret_cast<__m256i>(_mm256_movehdup_ps(reinterpret_cast<__m256>(even))),
                           reinterpret_cast<__m256i>(odd), 0xaa));
  }
  static Vector Lookup(Vector table, Vector indices) {
    return reinterpret_cast<Vector>(
        _mm256_permutevar8x32_epi32(reinterpret_cast<__m256i>(table), reinterpret_cast<__m256i>(indices)));
  }
  // Word i + kWords (modulo 4) of every block of four to place i.
  template <int kWords>
  static Vector RotateBlocks(Vector a) {
    constexpr int kOrder = kWords == 1 ? 0b00'11'10'01 : 0b01'00'11'10;
    return reinterpret_cast<Vector>(_mm256_shuffle_epi32(reinterpret_cast<__m256i>(a), kOrder));
  }
  static Vector SwapHalves(Vector a) {
    return reinterpret_cast<Vector>(_mm256_permute4x64_epi64(reinterpret_cast<__m256i>(a), 0b01'00'11'10));
  }
  static Wide Xor3(Wide a, Wide b, Wide c) { return a ^ b ^ c; }
  static Wide Chi(Wide a, Wide b, Wide c) { return a ^ (~b & c); }
};

}  // namespace
}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_INSTRUCTION_SETS_LANE_AVX2_H_
