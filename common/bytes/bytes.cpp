#include "common/bytes/bytes.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

absl::string_view AsText(ByteSpan bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Abseil's HexStringToBytes (20220623) reports neither bad digits nor odd lengths.
absl::Status Decode(absl::string_view digits, absl::Span<uint8_t> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = DigitValue(digits[2 * i]);
    const int low = DigitValue(digits[2 * i + 1]);
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(absl::StrCat("not a hex digit at character ", high < 0 ? 2 * i : 2 * i + 1));
    }
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return absl::OkStatus();
}

}  // namespace

std::string ToHex(ByteSpan bytes) { return absl::StrCat("0x", absl::BytesToHexString(AsText(bytes))); }

std::string ShortHex(ByteSpan bytes) {
  if (bytes.size() <= 4) return ToHex(bytes);
  return absl::StrCat(ToHex(bytes.first(2)), "…", absl::BytesToHexString(AsText(bytes.last(1))));
}

absl::StatusOr<std::vector<uint8_t>> ParseHex(absl::string_view text) {
  absl::ConsumePrefix(&text, "0x");
  if (text.size() % 2 != 0) return absl::InvalidArgumentError("odd number of hex digits");
  std::vector<uint8_t> bytes(text.size() / 2);
  RETURN_IF_ERROR(Decode(text, absl::MakeSpan(bytes)));
  return bytes;
}

absl::Status ParseHexInto(absl::string_view text, absl::Span<uint8_t> out) {
  absl::ConsumePrefix(&text, "0x");
  if (text.size() != 2 * out.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected ", out.size(), " bytes of hex, got ", text.size(), " digits"));
  }
  return Decode(text, out);
}

}  // namespace lean
