#include "common/crypto/lanes/instruction_sets/lane_avx2.h"
#include "common/crypto/lanes/kernels.h"
#include "common/crypto/lanes/templates/kernels_impl.h"

namespace lean::crypto::lanes {

constinit const Kernels kAvx2Kernels = MakeKernels<Avx2Lane>(Isa::kAvx2);

}  // namespace lean::crypto::lanes
