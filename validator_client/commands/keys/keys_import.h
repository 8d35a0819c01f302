// `lean-validator keys import`: adds keys from files of leanSig or from another folder of this program.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_IMPORT_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_IMPORT_H_

#include <cstdint>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/secrets/random_source.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {

struct KeysImportOptions {
  // A file of `keys export --with-records` (KeyBundle); a folder with validator-keys-manifest.yaml, such as the devnet
  // tooling's hash-sig-keys, or that manifest itself; or one key file: leanSig's *_sk.ssz, or one of ours.
  std::string source;
  std::string keystores;           // list to add to; made, with its folder, if it is not there
  std::vector<uint64_t> indices;   // of these validators; empty: of all in the source. One for a single key file
  std::string records{};           // database beside the list; created if there are records to add
  std::string records_input{};     // records to merge before the first key is added; may be empty
  bool never_signed = false;       // the operator says that the keys have signed nothing
  PasswordSource source_password;  // of sources that are encrypted
  KeyProtection protection;
  xmss::KeyGenerationOptions trees = {};  // to build those that a source does not have
  std::stop_token stop = {};              // requested: no further key is begun, and the result is CANCELLED
};

// Reads, checks and adds one key after the other, after their records: whenever it is stopped, the list has no key
// whose records are not in the database. Skips a key that the list already has for the same validator, so that an
// import that failed or was killed can be repeated. Opens all keys of a bundle before it changes anything. Does not
// change the sources. InvalidArgument names the file: not a key, not the key in the manifest or in *_pk.ssz, an index
// that the source lacks, malformed records. FailedPrecondition: a client runs with keys in the list's folder; the
// records of a key are missing (CheckReach). Errors of KeystoreFolder::Add and of the records.
absl::Status ImportKeys(const KeysImportOptions& options, RandomSource& random, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_IMPORT_H_
