// `lean-validator records export` and `import`: signing records on their way from one machine to another.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_RECORDS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_RECORDS_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lean::validator {

struct RecordsOptions {
  std::string records;    // database; empty: that of the keystores
  std::string keystores;  // YAML list, whose key folders are locked, too; empty: not given
  std::string file;       // to write or to read
  bool highest_only = false;
  std::string form = "lean";            // of an export: "lean" or "eip-3076"
  std::string genesis_validators_root;  // hex, for the metadata of EIP-3076; empty: zeros
  uint64_t slot = 0;                    // of `raise`
};

// Writes the records of all keys to a new file. Errors: no database; a running client uses it (the error names the
// process id); the file exists or cannot be written.
absl::Status ExportRecords(const RecordsOptions& options, std::ostream& out);

// Closes all slots up to options.slot for each key of the list: none of them is signed any more. For keys whose records
// are lost or went back. Creates a missing database.
absl::Status RaiseRecords(const RecordsOptions& options, std::ostream& out);

// Merges a file into the database, completely or not at all. Creates a missing database. Errors name the file and the
// path of the wrong value in it.
absl::Status ImportRecords(const RecordsOptions& options, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_RECORDS_H_
