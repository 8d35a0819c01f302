// One table of kernels for each instruction set; use kernels.h to choose one.
#ifndef LEAN_COMMON_CRYPTO_LANES_KERNEL_TABLES_H_
#define LEAN_COMMON_CRYPTO_LANES_KERNEL_TABLES_H_

#include "common/crypto/lanes/kernels.h"

namespace lean::crypto::lanes {

extern const Kernels kPortableKernels;
extern const Kernels kAvx2Kernels;    // x86-64 only
extern const Kernels kAvx512Kernels;  // x86-64 only

}  // namespace lean::crypto::lanes

#endif  // LEAN_COMMON_CRYPTO_LANES_KERNEL_TABLES_H_
