// How a check says no.
#ifndef LEAN_VALIDATOR_CLIENT_REFUSE_H_
#define LEAN_VALIDATOR_CLIENT_REFUSE_H_

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace lean::validator {

// FAILED_PRECONDITION with a text as of absl::StrFormat: what a beacon answered is not what a duty needs.
template <typename... Args>
absl::Status Refuse(const absl::FormatSpec<Args...>& format, const Args&... args) {
  return absl::FailedPreconditionError(absl::StrFormat(format, args...));
}

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_REFUSE_H_
