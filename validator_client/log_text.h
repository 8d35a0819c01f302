// Texts from outside, made fit for a log line.
#ifndef LEAN_VALIDATOR_CLIENT_LOG_TEXT_H_
#define LEAN_VALIDATOR_CLIENT_LOG_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lean::validator {

// At most 200 characters, with control characters and quotes replaced: a beacon's text must neither break a line nor
// forge one.
std::string Printable(absl::string_view text);

// "code: message", fit for a log line.
std::string StatusText(const absl::Status& status);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_LOG_TEXT_H_
