// A buffer for encoded secrets.
#ifndef LEAN_COMMON_CRYPTO_XMSS_WIPED_BYTES_H_
#define LEAN_COMMON_CRYPTO_XMSS_WIPED_BYTES_H_

#include <openssl/crypto.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"

namespace lean::xmss {

// Of a size fixed at construction, so that nothing is left behind in reallocated memory. Move-only; wiped when
// destroyed.
class WipedBytes {
 public:
  explicit WipedBytes(size_t size) : bytes_(size) {}
  WipedBytes(WipedBytes&& other) noexcept = default;
  WipedBytes& operator=(WipedBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);  // `other` wipes what was here
    return *this;
  }
  ~WipedBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  ByteSpan span() const { return bytes_; }
  absl::Span<uint8_t> mutable_span() { return absl::MakeSpan(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_WIPED_BYTES_H_
