// From the list of keystores to keys that can sign.
#ifndef LEAN_VALIDATOR_CLIENT_KEYSTORES_H_
#define LEAN_VALIDATOR_CLIENT_KEYSTORES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "validator_client/keystore/key_file.h"
#include "validator_client/signer.h"

namespace lean::validator {

// Threads that the work of keys may take.
unsigned KeyThreads();

struct Keystores {
  std::vector<ValidatorKey> keys;    // at least one; nothing is prepared yet
  uint32_t log_lifetime = 0;         // of all of them
  std::vector<std::string> folders;  // of the key files
};

// Reads the list and opens every key file in it, asking `password` if one of them is encrypted. A key prepares itself
// on `threads` threads.
// Errors begin with "FILE:LINE: " of the list: those of ReadKeystoreList; those of OpenKeyFile; a key that is not the
// pubkey of the list; keys of different lifetimes.
absl::StatusOr<Keystores> OpenKeystores(const std::string& list_file, const PasswordSource& password, unsigned threads);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYSTORES_H_
