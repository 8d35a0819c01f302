#include "validator_client/commands/keys/keys_delete.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"

namespace lean::validator {

absl::Status DeleteKeys(const KeysDeleteOptions& options, std::ostream& out) {
  absl::StatusOr<KeyRecords> records = KeyRecords::Open(options.keystores, options.indices, options.records);
  if (!records.ok()) return records.status();
  const absl::StatusOr<size_t> with_records = records->Export(options.records_output);
  if (!with_records.ok()) return with_records.status();
  out << absl::StrCat("records of ", *with_records, " keys are in ", options.records_output,
                      ": keep it as long as a copy of the keys may exist\n");
  for (const KeystoreEntry& key : records->keys()) {
    if (absl::Status status = records->folder().Remove(key.pubkey); !status.ok()) return status;
    out << "index=" << key.index << " pubkey=" << ShortHex(key.pubkey.span()) << " result=deleted" << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace lean::validator
