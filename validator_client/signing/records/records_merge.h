// Merges the records of another database.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_MERGE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_MERGE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/records_database.h"

namespace lean::validator {

struct ImportSummary {
  uint64_t keys = 0;        // distinct keys in the import
  uint64_t new_keys = 0;    // keys that had no records
  uint64_t new_leaves = 0;  // leaves above their key's highest slot
  uint64_t closed_leaves =
      0;  // leaves that may not sign any more, because two roots are recorded or the root is unknown
};

// Merges in one transaction. What was refused before stays refused. A leaf in `histories` is refused, except for the
// same root among the newest kKeptSlots. Merging the same histories again changes nothing. `histories` may contain a
// key several times, with its leaves in any order. A leaf with two known roots may sign neither.
absl::StatusOr<ImportSummary> MergeHistories(const std::vector<KeyHistory>& histories, RecordsDatabase& database);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_MERGE_H_
