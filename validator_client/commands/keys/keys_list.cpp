#include "validator_client/commands/keys/keys_list.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/keystore_list.h"

namespace lean::validator {
namespace {

absl::Status VerifyKey(const KeystoreEntry& entry, const PasswordSource& password,
                       const xmss::KeyGenerationOptions& options) {
  ASSIGN_OR_RETURN(const WholeKey read, ReadWholeKey(entry.path, password, /*may_be_public=*/false, options));
  if (PublicKeyBytesOf(read.key.scheme(), read.key.public_key()) != entry.pubkey) {
    return absl::InvalidArgumentError(absl::StrCat(entry.path, " holds another key than the list says"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ListKeys(const std::string& list_file, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(list_file));
  size_t failures = 0;
  for (const KeystoreEntry& entry : entries) {
    out << "index=" << entry.index << " pubkey=" << ToHex(entry.pubkey.span());
    absl::StatusOr<KeyFileSummary> summary = SummarizeKeyFile(entry.path);
    if (summary.ok() && summary->pubkey != entry.pubkey) {
      summary = absl::InvalidArgumentError(absl::StrCat(entry.path, " holds another key"));
    }
    if (summary.ok()) {
      out << " lifetime=2^" << summary->log_lifetime << " first_slot=" << summary->active.first
          << " last_slot=" << summary->active.end - 1 << " form=" << summary->form;
      if (summary->state.high_water.has_value()) out << " high_water=" << *summary->state.high_water;
      if (summary->state.recovery_only) out << " signs=never";
      out << " file=" << entry.path << "\n";
    } else {
      ++failures;
      out << " error=\"" << summary.status().message() << "\"\n";
    }
  }
  if (failures == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(failures, " of the ", entries.size(), " keys in ", list_file, " cannot be used"));
}

absl::Status VerifyKeys(const std::string& list_file, const PasswordSource& password,
                        const xmss::KeyGenerationOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(list_file));
  size_t failures = 0;
  for (const KeystoreEntry& entry : entries) {
    const absl::Status status = VerifyKey(entry, password, options);
    if (absl::IsCancelled(status)) return status;
    out << "index=" << entry.index << " pubkey=" << ShortHex(entry.pubkey.span());
    if (status.ok()) {
      out << " result=good\n";
    } else {
      ++failures;
      out << " result=bad error=\"" << status.message() << "\"\n";
    }
    out.flush();
  }
  if (failures == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(failures, " of the ", entries.size(), " keys in ", list_file, " are not good"));
}

}  // namespace lean::validator
