// Byte arrays of a fixed size (the roots, public keys and signatures in containers), and hexadecimal text of bytes for
// logs, answers and files.
#ifndef LEAN_COMMON_BYTES_BYTES_H_
#define LEAN_COMMON_BYTES_BYTES_H_

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/status/status_macros.h"

namespace lean {

using ByteSpan = absl::Span<const uint8_t>;

// The bytes of `text`, which is not copied.
inline ByteSpan BytesOfText(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A value type of N bytes, zero by default. Ordered lexicographically, which is how fork choice breaks ties.
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
using SignatureBytes = Bytes<3116>;  // XMSS signature in the form of the containers

// "0x" and two lower-case digits for each byte.
std::string ToHex(ByteSpan bytes);

// The first two bytes and the last one, for logs: 0x12ab…cd.
std::string ShortHex(ByteSpan bytes);

// Parses hex text with or without "0x". InvalidArgument: an odd number of digits, or a character that is no digit.
absl::StatusOr<std::vector<uint8_t>> ParseHex(absl::string_view text);

// Writes exactly out.size() bytes. InvalidArgument: as above, or another length.
absl::Status ParseHexInto(absl::string_view text, absl::Span<uint8_t> out);

// The same for a Bytes<N>: ParseFixedHex<Root>(text).
template <typename B>
absl::StatusOr<B> ParseFixedHex(absl::string_view text) {
  B bytes;
  RETURN_IF_ERROR(ParseHexInto(text, bytes.mutable_span()));
  return bytes;
}

}  // namespace lean

#endif  // LEAN_COMMON_BYTES_BYTES_H_
