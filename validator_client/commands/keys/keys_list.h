// `lean-validator keys list` and `keys verify`: show the keys of a list, and check that they can sign.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "common/crypto/xmss/key_generation.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

// A line a key: index, public key, lifetime, active slots, encrypted or plain, file. Needs no password.
// Errors of ReadKeystoreList. A key file that cannot be read has its reason in its line, and fails the whole
// (FailedPrecondition) after the last line.
absl::Status ListKeys(const std::string& list_file, std::ostream& out);

// Opens each key file, with its password, and holds secret, trees, public key and list against each other. Signs
// nothing: a signature would spend a leaf. Trees that are missing are built, with `options`. A line a key.
// FailedPrecondition after the last line: not all of them are good. Errors of ReadKeystoreList.
absl::Status VerifyKeys(const std::string& list_file, const PasswordSource& password,
                        const xmss::KeyGenerationOptions& options, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_
