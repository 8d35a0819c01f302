#include "validator_client/commands/keys/keys_export.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/commands/keys/key_bundle.h"
#include "validator_client/keys/keystore/key_manifest.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/keys/keystores.h"
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

constexpr char kRecordsName[] = "records.json";

size_t CountKnown(const std::vector<KeyHistory>& histories) {
  return static_cast<size_t>(std::count_if(histories.begin(), histories.end(),
                                           [](const KeyHistory& history) { return !history.leaves.empty(); }));
}

// Writes the records that there are to a new file for `records import`.
absl::Status WriteRecords(std::vector<KeyHistory> histories, const std::string& file) {
  std::erase_if(histories, [](const KeyHistory& history) { return history.leaves.empty(); });
  return WritePrivateFile(file, BytesOfText(FormatInterchange(histories, InterchangeForm::kLeaves)), IfExists::kFail);
}

// Writes the copies.
class Copies {
 public:
  virtual ~Copies() = default;
  // Writes the file of one key, and returns its name.
  virtual absl::StatusOr<std::string> Add(const KeystoreEntry& entry, const xmss::SecretKey& key,
                                          const KeyHistory& history) = 0;
  // Called after the last key.
  virtual absl::Status Finish() = 0;
};

KeyState StateAt(const KeyHistory& history) {
  KeyState state;
  for (const SignedLeaf& leaf : history.leaves) {
    state.high_water = std::max(state.high_water, std::optional<uint64_t>(leaf.slot));
  }
  return state;
}

// Key files beside the records.
class KeystoreCopies : public Copies {
 public:
  KeystoreCopies(std::string path, KeystoreFolder folder, const KeyProtection& protection, RandomSource& random)
      : path_(std::move(path)), folder_(std::move(folder)), protection_(protection), random_(random) {}

  absl::StatusOr<std::string> Add(const KeystoreEntry& entry, const xmss::SecretKey& key,
                                  const KeyHistory& history) override {
    KeyState state = StateAt(history);
    state.recovery_only = true;
    state.reference = kRecordsName;
    // A key file that is there already, even of the same key, may be the only one that its password opens.
    RETURN_IF_ERROR(CheckNewFile(absl::StrCat(path_, "/", KeyFileName(entry.index, protection_.password != nullptr))));
    RETURN_IF_ERROR(folder_.Add(entry.index, key, state, protection_, random_));
    return folder_.Find(entry.pubkey)->path;
  }
  absl::Status Finish() override { return absl::OkStatus(); }

 private:
  const std::string path_;
  KeystoreFolder folder_;
  const KeyProtection& protection_;
  RandomSource& random_;
};

// One file with keys and records, which is written last and at once.
class BundleCopies : public Copies {
 public:
  BundleCopies(std::string file, const KeyProtection& protection, RandomSource& random)
      : file_(std::move(file)), protection_(protection), random_(random) {}

  absl::StatusOr<std::string> Add(const KeystoreEntry& entry, const xmss::SecretKey& key,
                                  const KeyHistory& history) override {
    ASSIGN_OR_RETURN(EncryptedKeystore keystore, MakeKeystore(key, StateAt(history), protection_, random_));
    bundle_.keys.push_back({entry.index, std::move(keystore)});
    bundle_.histories.push_back(history);
    return file_;
  }
  absl::Status Finish() override {
    const std::string text = FormatKeyBundle(bundle_);
    if (text.size() > kMaxBundleBytes) {
      return absl::ResourceExhaustedError(absl::StrCat("keys and records have ", text.size(), " bytes, more than the ",
                                                       kMaxBundleBytes,
                                                       " that one file can have: export fewer keys at once"));
    }
    return WritePrivateFile(file_, BytesOfText(text), IfExists::kFail);
  }

 private:
  const std::string file_;
  const KeyProtection& protection_;
  RandomSource& random_;
  KeyBundle bundle_;
};

class HashSigCopies : public Copies {
 public:
  explicit HashSigCopies(std::string folder) : folder_(std::move(folder)) {}

  absl::StatusOr<std::string> Add(const KeystoreEntry& entry, const xmss::SecretKey& key, const KeyHistory&) override {
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
  if (options.with_records) return std::make_unique<BundleCopies>(options.output, options.protection, random);
  if (options.as_hash_sig_keys) return std::make_unique<HashSigCopies>(options.output);
  ASSIGN_OR_RETURN(KeystoreFolder folder, KeystoreFolder::Open(absl::StrCat(options.output, "/keystores.yaml")));
  return std::make_unique<KeystoreCopies>(options.output, std::move(folder), options.protection, random);
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

absl::StatusOr<std::vector<KeyHistory>> KeyRecords::Read() {
  std::vector<KeyHistory> all;
  if (records_ != nullptr) {
    ASSIGN_OR_RETURN(all, records_->Export());
  }
  std::vector<KeyHistory> histories;
  for (const KeystoreEntry& key : keys_) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&key](const KeyHistory& history) { return history.pubkey == key.pubkey; });
    histories.push_back(found == all.end() ? KeyHistory{key.pubkey, {}} : std::move(*found));
  }
  return histories;
}

absl::StatusOr<std::optional<uint64_t>> KeyRecords::HighestSlot(const PublicKeyBytes& pubkey) {
  if (records_ == nullptr) return std::nullopt;
  return records_->HighestSlot(pubkey);
}

absl::Status ExportKeys(const KeysExportOptions& options, RandomSource& random, std::ostream& out) {
  ASSIGN_OR_RETURN(KeyRecords records, KeyRecords::Open(options.keystores, options.indices, options.records));
  ASSIGN_OR_RETURN(const std::vector<KeyHistory> histories, records.Read());
  if (options.with_records) {
    RETURN_IF_ERROR(CheckNewFile(options.output));
  } else {
    RETURN_IF_ERROR(PreparePrivateFolder(options.output));
    RETURN_IF_ERROR(WriteRecords(histories, absl::StrCat(options.output, "/", kRecordsName)));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Copies> copies, MakeCopies(options, random));
  for (size_t i = 0; i < records.keys().size(); ++i) {
    const KeystoreEntry& entry = records.keys()[i];
    if (options.stop.stop_requested()) return absl::CancelledError("the keys that follow were not exported");
    ASSIGN_OR_RETURN(const WholeKey read,
                     ReadWholeKey(entry.path, options.source_password, /*may_be_public=*/false, options.trees));
    if (PublicKeyBytesOf(read.key.scheme(), read.key.public_key()) != entry.pubkey) {
      return absl::InvalidArgumentError(absl::StrCat(entry.path, " holds another key than the list says"));
    }
    RETURN_IF_ERROR(CheckReach(read.state, StateAt(histories[i]).high_water, options.records.never_signed),
                    absl::Status(_.code(), absl::StrCat(entry.path, ": ", _.message())));
    ASSIGN_OR_RETURN(const std::string file, copies->Add(entry, read.key, histories[i]));
    out << "index=" << entry.index << " pubkey=" << ShortHex(entry.pubkey.span()) << " result=exported file=" << file
        << std::endl;
  }
  RETURN_IF_ERROR(copies->Finish());
  out << absl::StrCat("exported ", records.keys().size(), " keys and the records of ", CountKnown(histories),
                      " of them to ", options.output, ". They are still in ", options.keystores,
                      ": delete them here before they run there\n");
  return absl::OkStatus();
}

absl::Status DeleteKeys(const KeysDeleteOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(KeyRecords records, KeyRecords::Open(options.keystores, options.indices, options.records));
  ASSIGN_OR_RETURN(const std::vector<KeyHistory> histories, records.Read());
  RETURN_IF_ERROR(WriteRecords(histories, options.records_output));
  out << absl::StrCat("records of ", CountKnown(histories), " keys are in ", options.records_output,
                      ": keep it as long as a copy of the keys may exist\n");
  for (const KeystoreEntry& key : records.keys()) {
    RETURN_IF_ERROR(records.folder().Remove(key.pubkey));
    out << "index=" << key.index << " pubkey=" << ShortHex(key.pubkey.span()) << " result=deleted" << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace lean::validator
