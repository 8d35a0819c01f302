#include "validator_client/commands/key_records.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/private_file.h"
#include "validator_client/signing_records/interchange.h"

namespace lean::validator {

absl::StatusOr<KeyRecords> KeyRecords::Open(const std::vector<KeystoreEntry>& keys, const KeyRecordsOptions& options) {
  KeyRecords opened;
  absl::StatusOr<std::vector<ProcessLock>> locks = LockKeyFolders(KeyFolders(keys));
  if (!locks.ok()) return locks.status();
  opened.folders_ = *std::move(locks);
  absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> records =
      SqliteSigningRecords::Open({.path = options.database, .create = false});
  if (records.ok()) {
    opened.records_ = *std::move(records);
  } else if (!absl::IsNotFound(records.status())) {
    return records.status();
  } else if (!options.never_signed) {
    return absl::NotFoundError(absl::StrCat("there are no signing records at ", options.database,
                                            ": name the database with --records, or say --never-signed if these keys "
                                            "have never signed anything"));
  }
  return opened;
}

absl::StatusOr<size_t> KeyRecords::Export(const std::vector<KeystoreEntry>& keys, const std::string& file) {
  std::vector<KeyHistory> histories;
  if (records_ != nullptr) {
    absl::StatusOr<std::vector<KeyHistory>> all = records_->Export();
    if (!all.ok()) return all.status();
    histories = *std::move(all);
    std::vector<PublicKeyBytes> pubkeys;
    for (const KeystoreEntry& key : keys) pubkeys.push_back(key.pubkey);
    KeepOnly(pubkeys, histories);
  }
  const std::string text = FormatInterchange(histories, InterchangeForm::kLeaves);
  const ByteSpan bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  if (absl::Status status = xmss::WritePrivateFile(file, bytes, xmss::IfExists::kFail); !status.ok()) return status;
  return histories.size();
}

}  // namespace lean::validator
