// The forms of a log line, made from its text: `event key=value key="some words"`.
#ifndef LEAN_COMMON_LOG_LOG_LINE_H_
#define LEAN_COMMON_LOG_LOG_LINE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace lean {

// A JSON object without a newline. Its values are strings. `text` contains no control characters (WithoutControls).
// Text after the event that is no field is in "message"; so is all of a text that has no field.
// `part` is left out if it is empty.
std::string JsonLine(absl::string_view time, absl::string_view level, absl::string_view part, absl::string_view text);

// The text with its event padded to a column, so that the fields of lines are below each other.
std::string Aligned(absl::string_view text);

// The text without its decimal numbers: equal for lines that say the same of several slots or durations. Digits in
// names, addresses and roots stay.
std::string WithoutNumbers(absl::string_view text);

}  // namespace lean

#endif  // LEAN_COMMON_LOG_LOG_LINE_H_
