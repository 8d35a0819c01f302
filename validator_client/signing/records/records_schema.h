// Opening a database of signing records: the file, its settings, its tables.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_SCHEMA_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_SCHEMA_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "validator_client/signing/records/sqlite.h"

namespace lean::validator {

// As RecordsDatabase::Open, which builds on it.
absl::StatusOr<std::unique_ptr<sqlite::Connection>> OpenRecordsFile(const std::string& path, bool create);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_SCHEMA_H_
