#include "common/process/memory.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace lean {
namespace {

// What glibc begins with. Setting them is what keeps them.
[[maybe_unused]] constexpr int kMappedBytes = 128 * 1024;
[[maybe_unused]] constexpr int kTrimmedBytes = 128 * 1024;

}  // namespace

void ReturnLargeBuffers() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, kMappedBytes);
  mallopt(M_TRIM_THRESHOLD, kTrimmedBytes);
#endif
}

}  // namespace lean
