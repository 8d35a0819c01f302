#include "validator_client/commands/keys/keys_export.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/keystore/key_manifest.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/signing/records/interchange.h"

namespace lean::validator {
namespace {

struct Selection {
  KeystoreFolder folder;
  std::vector<KeystoreEntry> keys;
};

absl::StatusOr<Selection> Select(const std::string& list_file, const std::vector<uint64_t>& indices) {
  ASSIGN_OR_RETURN(KeystoreFolder folder, KeystoreFolder::Open(list_file));
  ASSIGN_OR_RETURN(std::vector<KeystoreEntry> keys, folder.Select(indices));
  return Selection{std::move(folder), std::move(keys)};
}

// Writes the copies.
class Copies {
 public:
  virtual ~Copies() = default;
  // Writes the file of one key, and returns its name.
  virtual absl::StatusOr<std::string> Add(const KeystoreEntry& entry, const xmss::SecretKey& key) = 0;
  // Called after the last key.
  virtual absl::Status Finish() = 0;
};

class KeystoreCopies : public Copies {
 public:
  KeystoreCopies(KeystoreFolder folder, const KeyProtection& protection, RandomSource& random)
      : folder_(std::move(folder)), protection_(protection), random_(random) {}

  absl::StatusOr<std::string> Add(const KeystoreEntry& entry, const xmss::SecretKey& key) override {
    RETURN_IF_ERROR(folder_.Add(entry.index, key, protection_, random_));
    return folder_.Find(entry.pubkey)->path;
  }
  absl::Status Finish() override { return absl::OkStatus(); }

 private:
  KeystoreFolder folder_;
  const KeyProtection& protection_;
  RandomSource& random_;
};

class HashSigCopies : public Copies {
 public:
  explicit HashSigCopies(std::string folder) : folder_(std::move(folder)) {}

  absl::StatusOr<std::string> Add(const KeystoreEntry& entry, const xmss::SecretKey& key) override {
    const HashSigNetwork network = {key.scheme().log_lifetime(), key.active().end - key.active().first};
    if (keys_.empty()) network_ = network;
    if (network != network_) {
      return absl::InvalidArgumentError(absl::StrCat(
          entry.path, " has another lifetime or other slots than the key before it: one manifest names both"));
    }
    RETURN_IF_ERROR(WriteHashSigKey(folder_, entry.index, key));
    keys_.emplace_back(entry.index, entry.pubkey);
    return absl::StrCat(folder_, "/validator_", entry.index, "_sk.ssz");
  }
  absl::Status Finish() override { return WriteKeyManifest(folder_, network_, keys_); }

 private:
  const std::string folder_;
  HashSigNetwork network_;
  std::vector<std::pair<uint64_t, PublicKeyBytes>> keys_;
};

absl::StatusOr<std::unique_ptr<Copies>> MakeCopies(const KeysExportOptions& options, RandomSource& random) {
  if (options.as_hash_sig_keys) return std::make_unique<HashSigCopies>(options.output_dir);
  ASSIGN_OR_RETURN(KeystoreFolder folder, KeystoreFolder::Open(absl::StrCat(options.output_dir, "/keystores.yaml")));
  return std::make_unique<KeystoreCopies>(std::move(folder), options.protection, random);
}

}  // namespace

absl::StatusOr<KeyRecords> KeyRecords::Open(const std::string& list_file, const std::vector<uint64_t>& indices,
                                            const KeyRecordsOptions& options) {
  ASSIGN_OR_RETURN(const Selection unlocked, Select(list_file, indices));
  std::vector<std::string> folders = KeyFolders(unlocked.keys);
  folders.push_back(FolderOf(list_file));
  ASSIGN_OR_RETURN(std::vector<ProcessLock> locks, LockKeyFolders(folders));
  // Reads the list again, since no other process can change it now.
  ASSIGN_OR_RETURN(Selection selection, Select(list_file, indices));
  if (KeyFolders(selection.keys) != KeyFolders(unlocked.keys)) {
    return absl::AbortedError(absl::StrCat(list_file, " was changed while it was opened: try again"));
  }
  KeyRecords opened(std::move(locks), std::move(selection.folder), std::move(selection.keys));
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
    ASSIGN_OR_RETURN(histories, records_->Export());
    std::vector<PublicKeyBytes> pubkeys;
    for (const KeystoreEntry& key : keys_) pubkeys.push_back(key.pubkey);
    KeepOnly(pubkeys, histories);
  }
  const std::string text = FormatInterchange(histories, InterchangeForm::kLeaves);
  RETURN_IF_ERROR(WritePrivateFile(file, BytesOfText(text), IfExists::kFail));
  return histories.size();
}

absl::Status ExportKeys(const KeysExportOptions& options, RandomSource& random, std::ostream& out) {
  ASSIGN_OR_RETURN(KeyRecords records, KeyRecords::Open(options.keystores, options.indices, options.records));
  RETURN_IF_ERROR(PreparePrivateFolder(options.output_dir));
  ASSIGN_OR_RETURN(const size_t with_records, records.Export(absl::StrCat(options.output_dir, "/records.json")));
  ASSIGN_OR_RETURN(const std::unique_ptr<Copies> copies, MakeCopies(options, random));
  for (const KeystoreEntry& entry : records.keys()) {
    if (options.stop.stop_requested()) return absl::CancelledError("the keys that follow were not exported");
    ASSIGN_OR_RETURN(const xmss::SecretKey key,
                     ReadWholeKey(entry.path, options.source_password, /*may_be_public=*/false, options.trees));
    if (PublicKeyBytesOf(key.scheme(), key.public_key()) != entry.pubkey) {
      return absl::InvalidArgumentError(absl::StrCat(entry.path, " holds another key than the list says"));
    }
    ASSIGN_OR_RETURN(const std::string file, copies->Add(entry, key));
    out << "index=" << entry.index << " pubkey=" << ShortHex(entry.pubkey.span()) << " result=exported file=" << file
        << std::endl;
  }
  RETURN_IF_ERROR(copies->Finish());
  out << absl::StrCat("exported ", records.keys().size(), " keys and the records of ", with_records, " of them to ",
                      options.output_dir, ". They are still in ", options.keystores,
                      ": delete them here before they run there\n");
  return absl::OkStatus();
}

absl::Status DeleteKeys(const KeysDeleteOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(KeyRecords records, KeyRecords::Open(options.keystores, options.indices, options.records));
  ASSIGN_OR_RETURN(const size_t with_records, records.Export(options.records_output));
  out << absl::StrCat("records of ", with_records, " keys are in ", options.records_output,
                      ": keep it as long as a copy of the keys may exist\n");
  for (const KeystoreEntry& key : records.keys()) {
    RETURN_IF_ERROR(records.folder().Remove(key.pubkey));
    out << "index=" << key.index << " pubkey=" << ShortHex(key.pubkey.span()) << " result=deleted" << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace lean::validator
