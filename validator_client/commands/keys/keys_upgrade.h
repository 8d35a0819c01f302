// `lean-validator keys upgrade`: brings key files to version 5 of keystores.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_UPGRADE_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_UPGRADE_H_

#include <cstdint>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

struct KeysUpgradeOptions {
  std::string keystores;
  std::vector<uint64_t> indices;  // of these validators; empty: all of the list
  std::string records;            // database whose highest slots are written into the files, if there is one
  PasswordSource password;        // of the files, before and after
  DerivationCost cost = {};       // of the new files
  std::stop_token stop = {};      // requested: no further key is begun, and the result is CANCELLED
};

// Converts the key files of version 4 in place, one after the other (UpgradeKeyFile), and writes one line for each key.
// A repeated call changes nothing. A file is the old or the new one whenever this is stopped. FailedPrecondition: a
// running client uses the keys. Errors of UpgradeKeyFile for a key end the call; the keys before it are converted.
absl::Status UpgradeKeys(const KeysUpgradeOptions& options, RandomSource& random, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_UPGRADE_H_
