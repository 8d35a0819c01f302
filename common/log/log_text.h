// Makes text from outside safe for a log line or a terminal.
#ifndef LEAN_COMMON_LOG_LOG_TEXT_H_
#define LEAN_COMMON_LOG_LOG_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lean {

inline constexpr size_t kMaxLogText = 200;

// Replaces bytes that could control a terminal, end a line or change the order of displayed text: control characters
// (C0, Delete, C1) and bidirectional controls become spaces, and bytes that are not UTF-8 become '?'. The length does
// not change.
std::string WithoutControls(absl::string_view text);

// The same for a quoted field of a log line: also replaces '"', so that the text cannot forge a field, and returns at
// most `limit` bytes.
std::string Printable(absl::string_view text, size_t limit = kMaxLogText);

// "code: message", as Printable.
std::string StatusText(const absl::Status& status);

}  // namespace lean

#endif  // LEAN_COMMON_LOG_LOG_TEXT_H_
