// Memory for seeds, passwords and keys: locked, left out of core dumps, and wiped when it is freed.
#ifndef LEAN_COMMON_SECRETS_SECRET_MEMORY_H_
#define LEAN_COMMON_SECRETS_SECRET_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"

namespace lean {

// Keeps other processes of the same user from reading this one, and core files from being written. Sets up the locked
// arena that small secrets share. Call it first in main of a program that holds keys, before any thread is made.
// Thread-compatible; repeated calls do nothing more.
//
// FailedPrecondition: the arena is not locked, so the system may write secrets to swap. The message says what to do.
// Everything else is in force then.
absl::Status ProtectSecretMemory();

// `size` bytes, zeroed. Small blocks come from the arena of ProtectSecretMemory, others from a mapping of their own,
// which is left out of core dumps, and locked as far as the limit of locked memory (RLIMIT_MEMLOCK) allows. Null: there
// is no memory. Thread-safe.
void* AllocateSecret(size_t size);

// Wipes and frees what AllocateSecret returned for `size`. Null is ignored. Thread-safe.
void FreeSecret(void* memory, size_t size);

// For standard containers of trivial values. A container that grows wipes what it leaves behind.
template <typename T>
class SecretAllocator {
 public:
  using value_type = T;

  SecretAllocator() = default;
  template <typename U>
  SecretAllocator(const SecretAllocator<U>&) {}  // NOLINT(google-explicit-constructor): required of allocators

  T* allocate(size_t count) {
    void* const memory =
        count > std::numeric_limits<size_t>::max() / sizeof(T) ? nullptr : AllocateSecret(count * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) { FreeSecret(memory, count * sizeof(T)); }

  bool operator==(const SecretAllocator&) const { return true; }
};

// Zeroed at construction, of a fixed size, in secret memory: it is wiped when it is freed. Move-only.
class WipedBytes {
 public:
  explicit WipedBytes(size_t size) : bytes_(size) {}
  WipedBytes(WipedBytes&& other) noexcept = default;
  WipedBytes& operator=(WipedBytes&& other) noexcept = default;

  ByteSpan span() const { return bytes_; }
  absl::Span<uint8_t> mutable_span() { return absl::MakeSpan(bytes_); }

 private:
  std::vector<uint8_t, SecretAllocator<uint8_t>> bytes_;
};

}  // namespace lean

#endif  // LEAN_COMMON_SECRETS_SECRET_MEMORY_H_
