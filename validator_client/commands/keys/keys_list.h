// `lean-validator keys list` and `keys verify`: show the keys of a list, and check that they can sign.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

// Writes one line for each key: index, public key, lifetime, active slots, form (plain, encrypted-v4, encrypted-v5), in
// version 5 the state's high_water and whether the file is for recovery only, file. Needs no password.
// The line of a key file that cannot be read has the reason. FailedPrecondition, after the last line: a key file cannot
// be read. Errors of ReadKeystoreList.
absl::Status ListKeys(const std::string& list_file, std::ostream& out);

// Opens each key file with its password, and checks that secret, trees, public key and list match. Signs nothing, since
// a signature would use a leaf. Builds missing trees with `options`. Writes one line for each key. FailedPrecondition,
// after the last line: a key is not good. Errors of ReadKeystoreList.
absl::Status VerifyKeys(const std::string& list_file, const PasswordSource& password,
                        const xmss::KeyGenerationOptions& options, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_LIST_H_
