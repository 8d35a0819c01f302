// `lean-validator records export` and `import`: signing records on their way from one machine to another.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_RECORDS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_RECORDS_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lean::validator {

struct RecordsOptions {
  std::string records;    // database; empty: that of the keystores
  std::string keystores;  // YAML list; empty: not given. Its key folders are locked, too
  std::string file;       // to write or to read
  bool highest_only = false;
};

// Writes every key's records to a new file. Errors: no database, or one in use by a running client, whose
// process id is named; the file is there already, or cannot be written.
absl::Status ExportRecords(const RecordsOptions& options, std::ostream& out);

// Merges a file into the database, which is made if it is not there: all of it or nothing. Errors name the file and,
// in it, the path of the value that is wrong.
absl::Status ImportRecords(const RecordsOptions& options, std::ostream& out);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_RECORDS_H_
