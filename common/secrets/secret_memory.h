// Memory for seeds, passwords and keys. It is locked, excluded from core dumps, and wiped when it is freed.
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

// Prevents other processes of the same user from reading this process, and prevents core files. Creates the locked
// arena for small secrets. A program with keys must call it first in main, before threads start. Thread-compatible;
// further calls have no effect.
//
// FailedPrecondition: the arena is not locked, so the system may write secrets to swap. The message says what to do.
// The other measures are in force nevertheless.
absl::Status ProtectSecretMemory();

// Returns `size` zeroed bytes. Small blocks come from the arena of ProtectSecretMemory. A larger block gets a separate
// mapping, which is excluded from core dumps, and locked if the limit of locked memory (RLIMIT_MEMLOCK) allows. Null:
// there is no memory. Thread-safe.
void* AllocateSecret(size_t size);

// Wipes and frees a block of AllocateSecret(size). Ignores null. Thread-safe.
void FreeSecret(void* memory, size_t size);

// An allocator for standard containers of trivial values. A container that grows wipes its old memory.
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

// A buffer of fixed size in secret memory. Zeroed at construction, wiped when it is freed. Move-only.
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
