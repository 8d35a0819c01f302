#include "common/secrets/secret_memory.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace lean {
namespace {

// Several times the room for a seed of 32 bytes and a copy of it for each of 4096 keys. A power of two.
constexpr size_t kArenaBytes = size_t{1} << 20;
constexpr size_t kSmallestBlockBytes = 32;
// Larger blocks are few (a decrypted key file, a list of passwords). Each gets a separate mapping.
constexpr size_t kLargestBlockBytes = 2048;

void RaiseLockedMemoryLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_MEMLOCK, &limit);
}

}  // namespace

absl::Status ProtectSecretMemory() {
  if (prctl(PR_SET_DUMPABLE, 0) != 0) {
    return absl::ErrnoToStatus(errno, "cannot keep other processes from reading this one");
  }
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) return absl::ErrnoToStatus(errno, "cannot switch off core files");
  RaiseLockedMemoryLimit();
  if (CRYPTO_secure_malloc_initialized() == 1) return absl::OkStatus();
  const int made = CRYPTO_secure_malloc_init(kArenaBytes, kSmallestBlockBytes);
  if (made == 1) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      made == 2 ? "the memory for secrets cannot be locked" : "the memory for secrets cannot be set aside",
      ", so the system may write keys to swap; raise the limit of locked memory (ulimit -l, LimitMEMLOCK) to ",
      kArenaBytes / 1024, " KiB or more"));
}

void* AllocateSecret(size_t size) {
  if (size <= kLargestBlockBytes && CRYPTO_secure_malloc_initialized() == 1) {
    if (void* const block = OPENSSL_secure_zalloc(size); block != nullptr) return block;
  }
  void* const mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  madvise(mapping, size, MADV_DONTDUMP);
  mlock(mapping, size);
  return mapping;
}

void FreeSecret(void* memory, size_t size) {
  if (memory == nullptr) return;
  if (CRYPTO_secure_allocated(memory) == 1) {
    OPENSSL_secure_clear_free(memory, size);
    return;
  }
  OPENSSL_cleanse(memory, size);
  munmap(memory, size);
}

}  // namespace lean
