#include "common/crypto/lanes/kernel_tables.h"
#include "common/crypto/lanes/kernels.h"

namespace lean::crypto::lanes {

bool IsSupported(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return true;
#ifdef __x86_64__
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2");
    case Isa::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    default:
      return false;
  }
}

const Kernels& KernelsFor(Isa isa) {
#ifdef __x86_64__
  if (isa == Isa::kAvx2) return kAvx2Kernels;
  if (isa == Isa::kAvx512) return kAvx512Kernels;
#endif
  return kPortableKernels;
}

const Kernels& BestKernels() {
  if (IsSupported(Isa::kAvx512)) return KernelsFor(Isa::kAvx512);
  if (IsSupported(Isa::kAvx2)) return KernelsFor(Isa::kAvx2);
  return KernelsFor(Isa::kPortable);
}

}  // namespace lean::crypto::lanes
