// Four lanes in compiler vectors: any CPU.

#include <cstddef>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/crypto/lanes/kernels.h"
#include "common/crypto/lanes/templates/kernels_impl.h"

namespace lean::crypto::lanes {
namespace {

struct PortableLane {
  using SingleLane = PortableLane;  // for one permutation alone
  static constexpr size_t kLanes = 4;
  static constexpr bool kSignedProducts = false;
  static constexpr size_t kTableBits = 0;
  typedef uint32_t Vector __attribute__((vector_size(16)));
  typedef uint64_t Wide __attribute__((vector_size(16)));

  static Vector Min(Vector a, Vector b) { return a < b ? a : b; }
  static Wide Product(Wide a, Wide b) {
#ifdef __SSE2__
    return reinterpret_cast<Wide>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
    return (a & 0xffffffff) * (b & 0xffffffff);
#endif
  }
  static Wide Odd(Vector a) { return reinterpret_cast<Wide>(a) >> 32; }
  static Vector MergeHigh(Wide even, Wide odd) {
    return reinterpret_cast<Vector>((even >> 32) | (odd & 0xffffffff00000000));
  }
  // Word i + kWords (modulo 4) to place i.
  template <int kWords>
  static Vector RotateBlocks(Vector a) {
    return __builtin_shufflevector(a, a, kWords, (kWords + 1) % 4, (kWords + 2) % 4, (kWords + 3) % 4);
  }
  static Wide Xor3(Wide a, Wide b, Wide c) { return a ^ b ^ c; }
  static Wide Chi(Wide a, Wide b, Wide c) { return a ^ (~b & c); }
};

}  // namespace

constinit const Kernels kPortableKernels = MakeKernels<PortableLane>(Isa::kPortable);

}  // namespace lean::crypto::lanes
