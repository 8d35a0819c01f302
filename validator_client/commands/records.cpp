#include "validator_client/commands/records.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/process/whole_file.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {
namespace {

// An open database, and the locks that keep other processes from signing with its keys.
struct OpenRecords {
  std::vector<ProcessLock> folders;
  std::unique_ptr<SqliteSigningRecords> records;
};

absl::StatusOr<OpenRecords> Open(const RecordsOptions& options, bool create) {
  OpenRecords open;
  if (!options.keystores.empty()) {
    ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(options.keystores));
    ASSIGN_OR_RETURN(open.folders, LockKeyFolders(KeyFolders(entries)));
  }
  ASSIGN_OR_RETURN(open.records, SqliteSigningRecords::Open(
                                     {.path = RecordsPath(options.records, options.keystores), .create = create}));
  return open;
}

}  // namespace

absl::Status ExportRecords(const RecordsOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(const OpenRecords open, Open(options, false));
  ASSIGN_OR_RETURN(const std::vector<KeyHistory> histories, open.records->Export());
  const InterchangeForm form = options.highest_only ? InterchangeForm::kHighestOnly : InterchangeForm::kLeaves;
  Root genesis_validators_root;
  if (!options.genesis_validators_root.empty()) {
    ASSIGN_OR_RETURN(genesis_validators_root, ParseFixedHex<Root>(options.genesis_validators_root),
                     absl::Status(_.code(), absl::StrCat("--genesis-validators-root: ", _.message())));
  }
  const std::string text = options.form == "eip-3076" ? FormatEip3076(histories, form, genesis_validators_root)
                                                      : FormatInterchange(histories, form);
  // The file is on the disk before this command reports success.
  RETURN_IF_ERROR(WritePrivateFile(options.file, BytesOfText(text), IfExists::kFail));
  out << absl::StrCat("exported the records of ", histories.size(), " keys to ", options.file, "\n");
  return absl::OkStatus();
}

absl::Status RaiseRecords(const RecordsOptions& options, std::ostream& out) {
  if (options.slot >= kMaxLeaves) return absl::InvalidArgumentError("--slot: no key has a leaf of 2^32 or more");
  ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(options.keystores));
  ASSIGN_OR_RETURN(const OpenRecords open, Open(options, true));
  std::vector<KeyHistory> histories;
  for (const KeystoreEntry& entry : entries) {
    histories.push_back({entry.pubkey, {SignedLeaf{options.slot, std::nullopt}}});
  }
  ASSIGN_OR_RETURN(const ImportSummary summary, open.records->Import(histories));
  out << absl::StrCat("closed the slots up to ", options.slot, " for ", summary.keys, " keys, of which ",
                      summary.new_leaves, " had signed less\n");
  return absl::OkStatus();
}

absl::Status ImportRecords(const RecordsOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(options.file, kMaxInterchangeBytes));
  ASSIGN_OR_RETURN(const std::vector<KeyHistory> histories, ParseInterchange(text),
                   absl::Status(_.code(), absl::StrCat(options.file, ": ", _.message())));
  ASSIGN_OR_RETURN(const OpenRecords open, Open(options, true));
  ASSIGN_OR_RETURN(const ImportSummary summary, open.records->Import(histories));
  out << absl::StrCat("imported ", summary.keys, " keys from ", options.file, ": ", summary.new_keys, " new, ",
                      summary.new_leaves, " leaves above what was known, ", summary.closed_leaves,
                      " leaves that may not sign any more\n");
  return absl::OkStatus();
}

}  // namespace lean::validator
