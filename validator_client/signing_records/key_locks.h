// Locks that keep two clients from signing with the same keys.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/process/process_lock.h"

namespace lean::validator {

// What ProcessLock's refusal says of two clients.
inline constexpr absl::string_view kTwoSigners = "two clients with the same keys would sign twice";

// Locks each of the folders by its file ".lean-validator.lock"; a folder named twice counts once. Errors: those of
// ProcessLock::Acquire; kNotFound: there is no such folder.
absl::StatusOr<std::vector<ProcessLock>> LockKeyFolders(const std::vector<std::string>& folders);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_KEY_LOCKS_H_
