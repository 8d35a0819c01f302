// Hexadecimal text of bytes, as logs, answers and files have it.
#ifndef LEAN_COMMON_BYTES_HEX_H_
#define LEAN_COMMON_BYTES_HEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/status/status_macros.h"

namespace lean {

// "0x" and two lower-case digits a byte.
std::string ToHex(ByteSpan bytes);

// First two and last byte, for logs: 0x12ab…cd.
std::string ShortHex(ByteSpan bytes);

// Bytes of hex text, with or without "0x". InvalidArgument: an odd number of digits, or a character that is not one.
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

#endif  // LEAN_COMMON_BYTES_HEX_H_
