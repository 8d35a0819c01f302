// Sixteen lanes in AVX-512.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "common/crypto/lanes/instruction_sets/lane_avx2.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/lanes/templates/kernels_impl.h"

namespace lean::crypto::lanes {
namespace {

// The zero-masking forms of the intrinsics are used with full masks where the plain ones trip GCC 12's
// -Wmaybe-uninitialized; they compile to the plain instructions.
struct Avx512Lane {
  using SingleLane = Avx2Lane;  // for one permutation alone
  static constexpr size_t kLanes = 16;
  static constexpr bool kSignedProducts = true;
  static constexpr size_t kTableBits = 4;
  typedef uint32_t Vector __attribute__((vector_size(64)));
  typedef uint64_t Wide __attribute__((vector_size(64)));

  static Vector Min(Vector a, Vector b) {
    return reinterpret_cast<Vector>(
        _mm512_maskz_min_epu32(0xffff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
  }
  static Wide Product(Wide a, Wide b) {
    return reinterpret_cast<Wide>(
        _mm512_maskz_mul_epi32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
  }
  static Wide Odd(Vector a) {
    return reinterpret_cast<Wide>(_mm512_maskz_movehdup_ps(0xffff, reinterpret_cast<__m512>(a)));
  }
  static Vector MergeHigh(Wide even, Wide odd) {
    return reinterpret_cast<Vector>(
        _mm512_mask_movehdup_ps(reinterpret_cast<__m512>(odd), 0x5555, reinterpret_cast<__m512>(even)));
  }
  static Vector Lookup(Vector table, Vector indices) {
    return reinterpret_cast<Vector>(
        _mm512_maskz_permutexvar_epi32(0xffff, reinterpret_cast<__m512i>(indices), reinterpret_cast<__m512i>(table)));
  }
  static Wide Xor3(Wide a, Wide b, Wide c) { return Ternary<0x96>(a, b, c); }
  static Wide Chi(Wide a, Wide b, Wide c) { return Ternary<0xd2>(a, b, c); }

 private:
  template <int kTruthTable>
  static Wide Ternary(Wide a, Wide b, Wide c) {
    return reinterpret_cast<Wide>(_mm512_ternarylogic_epi64(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b),
                                                            reinterpret_cast<__m512i>(c), kTruthTable));
  }
};

}  // namespace

constinit const Kernels kAvx512Kernels = MakeKernels<Avx512Lane>(Isa::kAvx512);

}  // namespace lean::crypto::lanes
