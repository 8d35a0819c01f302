#include "common/crypto/lanes/kernel_tables.h"
#include "common/crypto/lanes/kernels_impl.h"
#include "common/crypto/lanes/lane_avx512.h"

namespace lean::crypto::lanes {

constinit const Kernels kAvx512Kernels = MakeKernels<Avx512Lane>(Isa::kAvx512);

}  // namespace lean::crypto::lanes
