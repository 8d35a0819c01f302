#include "common/crypto/lanes/kernel_tables.h"
#include "common/crypto/lanes/kernels_impl.h"
#include "common/crypto/lanes/lane_avx2.h"

namespace lean::crypto::lanes {

constinit const Kernels kAvx2Kernels = MakeKernels<Avx2Lane>(Isa::kAvx2);

}  // namespace lean::crypto::lanes
