// Taking over what another database knows.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_MERGE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_MERGE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/records_database.h"

namespace lean::validator {

struct ImportSummary {
  uint64_t keys = 0;           // distinct, in what was imported
  uint64_t new_keys = 0;       // of which there was no record
  uint64_t new_leaves = 0;     // that were above a key's highest slot
  uint64_t closed_leaves = 0;  // that no root may sign from now on, because two roots are recorded, or one is unknown
};

// Merges in one transaction: what was refused before stays refused, and nothing that `histories` has signed is granted
// except, among the newest kKeptSlots, the same root again. Merging the same once more changes nothing. A key may stand
// in `histories` more than once, its leaves in any order. A leaf for which two roots are known signs neither again.
absl::StatusOr<ImportSummary> MergeHistories(const std::vector<KeyHistory>& histories, RecordsDatabase& database);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_RECORDS_MERGE_H_
