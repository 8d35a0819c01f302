#include "validator_client/commands/keys/key_records.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/private_file.h"
#include "validator_client/signing/records/interchange.h"

namespace lean::validator {

namespace {

struct Selection {
  KeystoreFolder folder;
  std::vector<KeystoreEntry> keys;
};

absl::StatusOr<Selection> Select(const std::string& list_file, const std::vector<uint64_t>& indices) {
  absl::StatusOr<KeystoreFolder> folder = KeystoreFolder::Open(list_file);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<std::vector<KeystoreEntry>> keys = folder->Select(indices);
  if (!keys.ok()) return keys.status();
  return Selection{*std::move(folder), *std::move(keys)};
}

}  // namespace

absl::StatusOr<KeyRecords> KeyRecords::Open(const std::string& list_file, const std::vector<uint64_t>& indices,
                                            const KeyRecordsOptions& options) {
  const absl::StatusOr<Selection> unlocked = Select(list_file, indices);
  if (!unlocked.ok()) return unlocked.status();
  std::vector<std::string> folders = KeyFolders(unlocked->keys);
  folders.push_back(FolderOf(list_file));
  absl::StatusOr<std::vector<ProcessLock>> locks = LockKeyFolders(folders);
  if (!locks.ok()) return locks.status();
  // What counts is what it says now that nobody changes it.
  absl::StatusOr<Selection> selection = Select(list_file, indices);
  if (!selection.ok()) return selection.status();
  if (KeyFolders(selection->keys) != KeyFolders(unlocked->keys)) {
    return absl::AbortedError(absl::StrCat(list_file, " was changed while it was opened: try again"));
  }
  KeyRecords opened(*std::move(locks), std::move(selection->folder), std::move(selection->keys));
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

absl::StatusOr<size_t> KeyRecords::Export(const std::string& file) {
  std::vector<KeyHistory> histories;
  if (records_ != nullptr) {
    absl::StatusOr<std::vector<KeyHistory>> all = records_->Export();
    if (!all.ok()) return all.status();
    histories = *std::move(all);
    std::vector<PublicKeyBytes> pubkeys;
    for (const KeystoreEntry& key : keys_) pubkeys.push_back(key.pubkey);
    KeepOnly(pubkeys, histories);
  }
  const std::string text = FormatInterchange(histories, InterchangeForm::kLeaves);
  const ByteSpan bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  if (absl::Status status = xmss::WritePrivateFile(file, bytes, xmss::IfExists::kFail); !status.ok()) return status;
  return histories.size();
}

}  // namespace lean::validator
