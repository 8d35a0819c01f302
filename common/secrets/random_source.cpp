#include "common/secrets/random_source.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <limits>

#include "common/crypto/sha.h"

namespace lean {

absl::Status SystemRandomSource::Fill(absl::Span<uint8_t> out) {
  while (!out.empty()) {
    const size_t count = std::min<size_t>(out.size(), std::numeric_limits<int>::max());
    if (RAND_priv_bytes(out.data(), static_cast<int>(count)) != 1) {
      return absl::InternalError("the system's random generator failed");
    }
    out.remove_prefix(count);
  }
  return absl::OkStatus();
}

absl::Status SeededRandomSource::Fill(absl::Span<uint8_t> out) {
  std::array<uint8_t, 16> input;
  for (size_t i = 0; i < 8; ++i) {
    input[i] = static_cast<uint8_t>(seed_ >> (8 * i));
    input[8 + i] = static_cast<uint8_t>(call_ >> (8 * i));
  }
  ++call_;
  crypto::Shake128(input, out);
  return absl::OkStatus();
}

}  // namespace lean
