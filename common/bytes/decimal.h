// Whole numbers in text that people write, such as options and configuration files.
#ifndef LEAN_COMMON_BYTES_DECIMAL_H_
#define LEAN_COMMON_BYTES_DECIMAL_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace lean {

// nullopt: other characters than decimal digits, a leading zero (which some programs read as octal), or more than 64
// bits.
inline std::optional<uint64_t> ParseDecimal(absl::string_view text) {
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  uint64_t number = 0;
  if (!digits || leading_zero || !absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

}  // namespace lean

#endif  // LEAN_COMMON_BYTES_DECIMAL_H_
