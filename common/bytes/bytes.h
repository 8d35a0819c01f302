// Byte arrays of a fixed size: roots, public keys, signatures as they stand in containers.
#ifndef LEAN_COMMON_BYTES_BYTES_H_
#define LEAN_COMMON_BYTES_BYTES_H_

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"

namespace lean {

using ByteSpan = absl::Span<const uint8_t>;

// A value type of N bytes, zero unless set. Ordered lexicographically, which is the order fork choice breaks ties by.
template <size_t N>
struct Bytes {
  static constexpr size_t kSize = N;

  std::array<uint8_t, N> data{};

  bool IsZero() const {
    return std::all_of(data.begin(), data.end(), [](uint8_t byte) { return byte == 0; });
  }
  ByteSpan span() const { return data; }
  absl::Span<uint8_t> mutable_span() { return absl::MakeSpan(data); }

  friend bool operator==(const Bytes&, const Bytes&) = default;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;

  template <typename H>
  friend H AbslHashValue(H state, const Bytes& bytes) {
    return H::combine(std::move(state), bytes.data);
  }
};

using Root = Bytes<32>;              // hash_tree_root of a container
using PublicKeyBytes = Bytes<52>;    // XMSS: root (8 words), parameter (5 words), canonical u32 little-endian
using SignatureBytes = Bytes<3116>;  // XMSS signature in the container's form

}  // namespace lean

#endif  // LEAN_COMMON_BYTES_BYTES_H_
