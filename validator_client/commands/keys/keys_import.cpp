#include "validator_client/commands/keys/keys_import.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/process/whole_file.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/commands/keys/key_bundle.h"
#include "validator_client/keys/keystore/key_manifest.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kSecretEnd = "_sk.ssz";
constexpr absl::string_view kPublicEnd = "_pk.ssz";

struct Source {
  uint64_t index = 0;
  std::string path;
  std::optional<PublicKeyBytes> pubkey;  // that it must have
};

absl::StatusOr<std::vector<Source>> SourcesOf(const KeysImportOptions& options, std::ostream& out) {
  std::error_code ignored;
  const bool is_folder = fs::is_directory(options.source, ignored);
  if (!is_folder && !absl::EndsWith(options.source, ".yaml")) {
    if (options.indices.size() == 1) return std::vector<Source>{{options.indices[0], options.source, std::nullopt}};
    return absl::InvalidArgumentError(absl::StrCat(options.source, " is one key: name its validator (--indices N)"));
  }
  const std::string manifest = is_folder ? (fs::path(options.source) / kManifestName).string() : options.source;
  ASSIGN_OR_RETURN(const KeyManifest read, ReadKeyManifest(manifest));
  if (!read.warning.empty()) out << "warning: " << read.warning << "\n";
  std::vector<Source> sources;
  for (const KeystoreEntry& entry : read.entries) {
    const bool wanted = options.indices.empty() ||
                        std::find(options.indices.begin(), options.indices.end(), entry.index) != options.indices.end();
    if (wanted) sources.push_back({entry.index, entry.path, entry.pubkey});
  }
  for (const uint64_t index : options.indices) {
    const bool found =
        std::any_of(sources.begin(), sources.end(), [index](const Source& source) { return source.index == index; });
    if (!found) return absl::InvalidArgumentError(absl::StrCat(manifest, " has no key of validator ", index));
  }
  return sources;
}

// Checks validator_N_pk.ssz beside validator_N_sk.ssz, if it exists.
absl::Status CheckPublicFile(const std::string& secret_path, const PublicKeyBytes& pubkey) {
  if (!absl::EndsWith(secret_path, kSecretEnd)) return absl::OkStatus();
  const std::string path = absl::StrCat(secret_path.substr(0, secret_path.size() - kSecretEnd.size()), kPublicEnd);
  const absl::StatusOr<WipedBytes> bytes = ReadRegularFile(path, pubkey.data.size());
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  RETURN_IF_ERROR(bytes.status());
  if (bytes->span() == pubkey.span()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is not the public key of ", secret_path, ", which is ", ToHex(pubkey.span())));
}

absl::StatusOr<WholeKey> ReadSource(const Source& source, const KeysImportOptions& options) {
  // The devnet tooling writes its keys readable for everybody.
  ASSIGN_OR_RETURN(WholeKey read,
                   ReadWholeKey(source.path, options.source_password, /*may_be_public=*/true, options.trees));
  const PublicKeyBytes pubkey = PublicKeyBytesOf(read.key.scheme(), read.key.public_key());
  if (source.pubkey.has_value() && *source.pubkey != pubkey) {
    return absl::InvalidArgumentError(absl::StrCat(source.path, " holds the key ", ToHex(pubkey.span()),
                                                   ", the manifest says ", ToHex(source.pubkey->span())));
  }
  RETURN_IF_ERROR(CheckPublicFile(source.path, pubkey));
  return read;
}

// Adds keys to a list, and their records to its database first.
class KeyAdder {
 public:
  static absl::StatusOr<KeyAdder> Open(const KeysImportOptions& options, RandomSource& random, std::ostream& out) {
    const std::string list_folder = FolderOf(options.keystores);
    RETURN_IF_ERROR(PreparePrivateFolder(list_folder));
    KeyAdder adder(options, random, out);
    // A running client may read and change the list.
    ASSIGN_OR_RETURN(adder.locks_, LockKeyFolders({list_folder}));
    ASSIGN_OR_RETURN(KeystoreFolder folder, KeystoreFolder::Open(options.keystores));
    adder.folder_ = std::make_unique<KeystoreFolder>(std::move(folder));
    return adder;
  }

  // Call it once, before the first Add.
  absl::Status AddRecords(const std::vector<KeyHistory>& histories) {
    const bool creates = std::any_of(histories.begin(), histories.end(),
                                     [](const KeyHistory& history) { return !history.leaves.empty(); });
    absl::StatusOr<std::unique_ptr<SqliteSigningRecords>> records =
        SqliteSigningRecords::Open({.path = options_.records, .create = creates});
    if (absl::IsNotFound(records.status())) return absl::OkStatus();
    RETURN_IF_ERROR(records.status());
    records_ = *std::move(records);
    if (!creates) return absl::OkStatus();
    ASSIGN_OR_RETURN(const ImportSummary summary, records_->Import(histories));
    out_ << "records keys=" << summary.keys << " new_keys=" << summary.new_keys << " new_leaves=" << summary.new_leaves
         << " closed_leaves=" << summary.closed_leaves << std::endl;
    return absl::OkStatus();
  }

  // `state`: in the source. `never_signed`: the source or the operator says so.
  template <typename Key>
  absl::Status Add(uint64_t index, const PublicKeyBytes& pubkey, const Key& key, const KeyState& state,
                   bool never_signed) {
    const KeystoreEntry* present = folder_->Find(pubkey);
    if (present != nullptr && present->index == index) {
      out_ << "index=" << index << " pubkey=" << ShortHex(pubkey.span()) << " result=already_there\n";
      return absl::OkStatus();
    }
    std::optional<uint64_t> highest;
    if (records_ != nullptr) {
      ASSIGN_OR_RETURN(highest, records_->HighestSlot(pubkey));
    }
    RETURN_IF_ERROR(CheckReach(state, highest, never_signed),
                    absl::Status(_.code(), absl::StrCat(options_.source, ": validator ", index, ": ", _.message())));
    RETURN_IF_ERROR(folder_->Add(index, key, KeyState{.high_water = highest}, options_.protection, random_));
    ++added_;
    out_ << "index=" << index << " pubkey=" << ShortHex(pubkey.span())
         << " result=imported file=" << folder_->Find(pubkey)->path << std::endl;
    return absl::OkStatus();
  }

  size_t added() const { return added_; }

 private:
  KeyAdder(const KeysImportOptions& options, RandomSource& random, std::ostream& out)
      : options_(options), random_(random), out_(out) {}

  const KeysImportOptions& options_;
  RandomSource& random_;
  std::ostream& out_;
  std::vector<ProcessLock> locks_;
  std::unique_ptr<KeystoreFolder> folder_;
  std::unique_ptr<SqliteSigningRecords> records_;  // null: there are none
  size_t added_ = 0;
};

absl::Status ImportBundle(const KeysImportOptions& options, const KeyBundle& bundle, KeyAdder& adder,
                          std::ostream& out) {
  ASSIGN_OR_RETURN(const Password* password, options.source_password());
  std::vector<OpenedKeyFile> opened;
  for (const BundledKey& key : bundle.keys) {
    if (options.stop.stop_requested()) return absl::CancelledError("nothing was imported");
    const std::string name = absl::StrCat(options.source, ": validator ", key.index);
    ASSIGN_OR_RETURN(WipedBytes secret, Decrypt(key.keystore.secret, *password),
                     absl::Status(_.code(), absl::StrCat(name, ": ", _.message())));
    ASSIGN_OR_RETURN(OpenedKeyFile file, OpenDecrypted(key.keystore, std::move(secret), name));
    opened.push_back(std::move(file));
  }
  RETURN_IF_ERROR(adder.AddRecords(bundle.histories));
  for (size_t i = 0; i < opened.size(); ++i) {
    if (options.stop.stop_requested()) return absl::CancelledError("the keys that follow were not imported");
    const BundledKey& key = bundle.keys[i];
    RETURN_IF_ERROR(adder.Add(key.index, key.keystore.pubkey, opened[i], key.keystore.state, /*never_signed=*/true));
  }
  out << absl::StrCat("imported ", adder.added(), " keys and their records into ", options.keystores,
                      ". Their trees are computed when they are used first. Make sure that the keys are deleted where "
                      "they come from before they run here; then remove ",
                      options.source, "\n");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<KeyHistory>> ReadRecordsInput(const std::string& file) {
  if (file.empty()) return std::vector<KeyHistory>();
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxInterchangeBytes));
  ASSIGN_OR_RETURN(std::vector<KeyHistory> histories, ParseInterchange(text),
                   absl::Status(_.code(), absl::StrCat(file, ": ", _.message())));
  return histories;
}

absl::Status ImportFiles(const KeysImportOptions& options, KeyAdder& adder, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::vector<Source> sources, SourcesOf(options, out));
  ASSIGN_OR_RETURN(const std::vector<KeyHistory> histories, ReadRecordsInput(options.records_input));
  bool has_records = false;
  for (const Source& source : sources) {
    if (options.stop.stop_requested()) return absl::CancelledError("the keys that follow were not imported");
    ASSIGN_OR_RETURN(const WholeKey read, ReadSource(source, options));
    if (!std::exchange(has_records, true)) {
      RETURN_IF_ERROR(adder.AddRecords(histories));
    }
    RETURN_IF_ERROR(adder.Add(source.index, PublicKeyBytesOf(read.key.scheme(), read.key.public_key()), read.key,
                              read.state, options.never_signed));
  }
  if (adder.added() > 0) {
    out << absl::StrCat("imported ", adder.added(), " keys into ", options.keystores,
                        ". If they have signed anything elsewhere, stop them there and import their signing records "
                        "before they run here; then remove ",
                        options.source, "\n");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ImportKeys(const KeysImportOptions& options, RandomSource& random, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::optional<KeyBundle> bundle, ReadKeyBundle(options.source, options.indices));
  if (bundle.has_value() && (!options.records_input.empty() || options.never_signed)) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.source, " has the records of its keys: leave --records-input and --never-signed away"));
  }
  ASSIGN_OR_RETURN(KeyAdder adder, KeyAdder::Open(options, random, out));
  return bundle.has_value() ? ImportBundle(options, *bundle, adder, out) : ImportFiles(options, adder, out);
}

}  // namespace lean::validator
