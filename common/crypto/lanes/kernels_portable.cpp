#include "common/crypto/lanes/kernel_tables.h"
#include "common/crypto/lanes/kernels_impl.h"
#include "common/crypto/lanes/lane_portable.h"

namespace lean::crypto::lanes {

constinit const Kernels kPortableKernels = MakeKernels<PortableLane>(Isa::kPortable);

}  // namespace lean::crypto::lanes
