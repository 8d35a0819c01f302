// A buffer for encoded secrets.
#ifndef LEAN_COMMON_SECRETS_WIPED_BYTES_H_
#define LEAN_COMMON_SECRETS_WIPED_BYTES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/secrets/secret_memory.h"

namespace lean {

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

#endif  // LEAN_COMMON_SECRETS_WIPED_BYTES_H_
