// `lean-validator keys list`: what a list of keystores holds.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"

namespace lean::validator {

// A line a key: index, public key, lifetime, active slots, encrypted or plain, file. Needs no password.
// Errors of ReadKeystoreList. A key file that cannot be read has its reason in its line, and fails the whole
// (FailedPrecondition) after the last line.
absl::Status ListKeys(const std::string& list_file, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_
