#include "validator_client/commands/keys_delete.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "validator_client/keystore_folder.h"

namespace lean::validator {

absl::Status DeleteKeys(const KeysDeleteOptions& options, std::ostream& out) {
  absl::StatusOr<KeystoreFolder> folder = KeystoreFolder::Open(options.keystores);
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<std::vector<KeystoreEntry>> keys = folder->Select(options.indices);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<KeyRecords> records = KeyRecords::Open(*keys, options.records);
  if (!records.ok()) return records.status();
  const absl::StatusOr<size_t> with_records = records->Export(*keys, options.records_output);
  if (!with_records.ok()) return with_records.status();
  out << absl::StrCat("records of ", *with_records, " keys are in ", options.records_output,
                      ": keep it as long as a copy of the keys may exist\n");
  for (const KeystoreEntry& key : *keys) {
    if (absl::Status status = folder->Remove(key.pubkey); !status.ok()) return status;
    out << "index=" << key.index << " pubkey=" << ShortHex(key.pubkey.span()) << " result=deleted" << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace lean::validator
