// `lean-validator keys verify`: whether the keys of a list can do their work.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_VERIFY_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_VERIFY_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "common/crypto/xmss/key_generation.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

// Opens each key file, with its password, and holds secret, trees, public key and list against each other. Signs
// nothing: a signature would spend a leaf. Trees that are missing are built, with `options`. A line a key.
// FailedPrecondition after the last line: not all of them are good. Errors of ReadKeystoreList.
absl::Status VerifyKeys(const std::string& list_file, const PasswordSource& password,
                        const xmss::KeyGenerationOptions& options, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_VERIFY_H_
