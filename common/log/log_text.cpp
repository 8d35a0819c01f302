#include "common/log/log_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lean {
namespace {

struct Character {
  size_t bytes = 0;  // 0: not UTF-8
  uint32_t code = 0;
};

Character FirstCharacter(absl::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {1, byte(0)};
  const size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < bytes) return {};
  uint32_t code = byte(0) & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[bytes] || code > 0x10ffff || surrogate) return {};
  return {bytes, code};
}

bool IsControl(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||  // C0, Delete, C1
         (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);  // line separators and bidirectional controls
}

}  // namespace

std::string WithoutControls(absl::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character first = FirstCharacter(text);
    const size_t bytes = std::max<size_t>(first.bytes, 1);
    if (first.bytes == 0) {
      result += '?';
    } else if (IsControl(first.code)) {
      result.append(bytes, ' ');
    } else {
      absl::StrAppend(&result, text.substr(0, bytes));
    }
    text.remove_prefix(bytes);
  }
  return result;
}

std::string Printable(absl::string_view text, size_t limit) {
  std::string result = WithoutControls(text.substr(0, limit));
  std::replace(result.begin(), result.end(), '"', '\'');
  if (text.size() > limit) result += "...";
  return result;
}

std::string StatusText(const absl::Status& status) {
  return Printable(
      absl::StrCat(absl::AsciiStrToLower(absl::StatusCodeToString(status.code())), ": ", status.message()));
}

}  // namespace lean
