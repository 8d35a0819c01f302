// For lists of plain key files alone.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_NO_PASSWORD_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_NO_PASSWORD_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "validator_client/keys/keystore/password.h"

namespace lean::validator {

// A PasswordSource.
inline absl::StatusOr<const Password*> NoPassword() { return absl::InternalError("a password was asked for"); }

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_NO_PASSWORD_H_
