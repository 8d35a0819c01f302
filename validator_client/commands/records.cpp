#include "validator_client/commands/records.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/config/text_file.h"
#include "common/secrets/secret_file.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/keys/keystore_list.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {
namespace {

// A database in use, and nobody else who signs with its keys.
struct OpenRecords {
  std::vector<ProcessLock> folders;
  std::unique_ptr<SqliteSigningRecords> records;
};

absl::StatusOr<OpenRecords> Open(const RecordsOptions& options, bool create) {
  OpenRecords open;
  if (!options.keystores.empty()) {
    const absl::StatusOr<std::vector<KeystoreEntry>> entries = ReadKeystoreList(options.keystores);
    if (!entries.ok()) return entries.status();
    absl::StatusOr<std::vector<ProcessLock>> folders = LockKeyFolders(KeyFolders(*entries));
    if (!folders.ok()) return folders.status();
    open.folders = *std::move(folders);
  }
  absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> records =
      SqliteSigningRecords::Open({.path = RecordsPath(options.records, options.keystores), .create = create});
  if (!records.ok()) return records.status();
  open.records = *std::move(records);
  return open;
}

}  // namespace

absl::Status ExportRecords(const RecordsOptions& options, std::ostream& out) {
  const absl::StatusOr<OpenRecords> open = Open(options, false);
  if (!open.ok()) return open.status();
  const absl::StatusOr<std::vector<KeyHistory>> histories = open->records->Export();
  if (!histories.ok()) return histories.status();
  const InterchangeForm form = options.highest_only ? InterchangeForm::kHighestOnly : InterchangeForm::kLeaves;
  const std::string text = FormatInterchange(*histories, form);
  const ByteSpan bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  // On the disk before anybody relies on it.
  if (absl::Status status = WritePrivateFile(options.file, bytes, IfExists::kFail); !status.ok()) {
    return status;
  }
  out << absl::StrCat("exported the records of ", histories->size(), " keys to ", options.file, "\n");
  return absl::OkStatus();
}

absl::Status ImportRecords(const RecordsOptions& options, std::ostream& out) {
  const absl::StatusOr<std::string> text = ReadTextFile(options.file, kMaxInterchangeBytes);
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::vector<KeyHistory>> histories = ParseInterchange(*text);
  if (!histories.ok()) {
    return absl::Status(histories.status().code(), absl::StrCat(options.file, ": ", histories.status().message()));
  }
  const absl::StatusOr<OpenRecords> open = Open(options, true);
  if (!open.ok()) return open.status();
  const absl::StatusOr<ImportSummary> summary = open->records->Import(*histories);
  if (!summary.ok()) return summary.status();
  out << absl::StrCat("imported ", summary->keys, " keys from ", options.file, ": ", summary->new_keys, " new, ",
                      summary->new_leaves, " leaves above what was known, ", summary->closed_leaves,
                      " leaves that no root may sign any more\n");
  return absl::OkStatus();
}

}  // namespace lean::validator
