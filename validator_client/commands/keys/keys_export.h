// `lean-validator keys export`: copies keys and their records into a folder that can be carried to another machine.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_EXPORT_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_EXPORT_H_

#include <cstdint>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/crypto/xmss/key_generation.h"
#include "common/crypto/xmss/random_source.h"
#include "validator_client/commands/keys/key_records.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

struct KeysExportOptions {
  std::string keystores;
  std::vector<uint64_t> indices;
  KeyRecordsOptions records;
  std::string output_dir;          // new, or empty and private
  PasswordSource source_password;  // of key files that are encrypted
  KeyProtection protection;        // of the copies
  bool as_hash_sig_keys = false;   // copies as other clients read them, not encrypted; `protection` has no password
  xmss::KeyGenerationOptions trees = {};
  std::stop_token stop = {};  // requested: no further key is begun, and the result is CANCELLED
};

// Writes DIR/records.json, which `records import` reads, then the key files, encrypted anew, and DIR/keystores.yaml; or
// the files and the manifest of the devnet tooling's hash-sig-keys folder.
// The keys stay where they are: the same key must not sign in two places, so delete it here before it runs there.
// Errors of KeyRecords, ReadWholeKey and KeystoreFolder; AlreadyExists: the folder has keys or records.
absl::Status ExportKeys(const KeysExportOptions& options, xmss::RandomSource& random, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_EXPORT_H_
