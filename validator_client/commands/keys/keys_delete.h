// `lean-validator keys delete`: takes keys out of use for good, their records first.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_DELETE_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_DELETE_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "validator_client/commands/keys/key_records.h"

namespace lean::validator {

struct KeysDeleteOptions {
  std::string keystores;
  std::vector<uint64_t> indices;
  KeyRecordsOptions records;
  std::string records_output;  // new file
};

// In this order: keeps every client from the keys and the list, writes their records to a file, and only when that is
// on the disk takes the keys off the list and removes their files. Errors of KeyRecords and KeystoreFolder; NotFound:
// an index is not in the list, found before anything is changed.
absl::Status DeleteKeys(const KeysDeleteOptions& options, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_DELETE_H_
