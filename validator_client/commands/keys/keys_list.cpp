#include "validator_client/commands/keys/keys_list.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore_list.h"

namespace lean::validator {

absl::Status ListKeys(const std::string& list_file, std::ostream& out) {
  const absl::StatusOr<std::vector<KeystoreEntry>> entries = ReadKeystoreList(list_file);
  if (!entries.ok()) return entries.status();
  size_t failures = 0;
  for (const KeystoreEntry& entry : *entries) {
    out << "index=" << entry.index << " pubkey=" << ToHex(entry.pubkey.span());
    absl::StatusOr<KeyFileSummary> summary = SummarizeKeyFile(entry.path);
    if (summary.ok() && summary->pubkey != entry.pubkey) {
      summary = absl::InvalidArgumentError(absl::StrCat(entry.path, " holds another key"));
    }
    if (summary.ok()) {
      out << " lifetime=2^" << summary->log_lifetime << " first_slot=" << summary->active.first
          << " last_slot=" << summary->active.end - 1 << " form=" << (summary->encrypted ? "encrypted" : "plain")
          << " file=" << entry.path << "\n";
    } else {
      ++failures;
      out << " error=\"" << summary.status().message() << "\"\n";
    }
  }
  if (failures == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(failures, " of the ", entries->size(), " keys in ", list_file, " cannot be used"));
}

}  // namespace lean::validator
