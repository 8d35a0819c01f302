// Text from outside, made fit for a line of a log or for a terminal.
#ifndef LEAN_COMMON_LOG_LOG_TEXT_H_
#define LEAN_COMMON_LOG_LOG_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lean {

inline constexpr size_t kMaxLogText = 200;

// `text` with every byte replaced that could command a terminal, end a line or change the order in which a line is
// shown: control characters (C0, Delete, C1) become spaces, bidirectional controls spaces, and what is no UTF-8 '?'.
// The length stays.
std::string WithoutControls(absl::string_view text);

// The same of at most `limit` bytes, with '"' replaced as well, for a quoted field of a log line: whoever wrote the
// text must neither break the line nor forge a field.
std::string Printable(absl::string_view text, size_t limit = kMaxLogText);

// "code: message", as Printable.
std::string StatusText(const absl::Status& status);

}  // namespace lean

#endif  // LEAN_COMMON_LOG_LOG_TEXT_H_
