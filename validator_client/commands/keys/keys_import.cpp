#include "validator_client/commands/keys/keys_import.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/keystore/key_manifest.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/signing/records/key_locks.h"

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

absl::StatusOr<xmss::SecretKey> ReadSource(const Source& source, const KeysImportOptions& options) {
  // The devnet tooling writes its keys readable for everybody.
  ASSIGN_OR_RETURN(xmss::SecretKey key,
                   ReadWholeKey(source.path, options.source_password, /*may_be_public=*/true, options.trees));
  const PublicKeyBytes pubkey = PublicKeyBytesOf(key.scheme(), key.public_key());
  if (source.pubkey.has_value() && *source.pubkey != pubkey) {
    return absl::InvalidArgumentError(absl::StrCat(source.path, " holds the key ", ToHex(pubkey.span()),
                                                   ", the manifest says ", ToHex(source.pubkey->span())));
  }
  RETURN_IF_ERROR(CheckPublicFile(source.path, pubkey));
  return key;
}

}  // namespace

absl::Status ImportKeys(const KeysImportOptions& options, RandomSource& random, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::vector<Source> sources, SourcesOf(options, out));
  // A running client may read and change the list.
  const std::string list_folder = FolderOf(options.keystores);
  RETURN_IF_ERROR(PreparePrivateFolder(list_folder));
  ASSIGN_OR_RETURN(const std::vector<ProcessLock> locks, LockKeyFolders({list_folder}));
  ASSIGN_OR_RETURN(KeystoreFolder folder, KeystoreFolder::Open(options.keystores));
  size_t imported = 0;
  for (const Source& source : sources) {
    if (options.stop.stop_requested()) return absl::CancelledError("the keys that follow were not imported");
    ASSIGN_OR_RETURN(const xmss::SecretKey key, ReadSource(source, options));
    const PublicKeyBytes pubkey = PublicKeyBytesOf(key.scheme(), key.public_key());
    const KeystoreEntry* present = folder.Find(pubkey);
    if (present != nullptr && present->index == source.index) {
      out << "index=" << source.index << " pubkey=" << ShortHex(pubkey.span()) << " result=already_there\n";
      continue;
    }
    RETURN_IF_ERROR(folder.Add(source.index, key, options.protection, random));
    ++imported;
    out << "index=" << source.index << " pubkey=" << ShortHex(pubkey.span())
        << " result=imported file=" << folder.Find(pubkey)->path << std::endl;
  }
  if (imported > 0) {
    out << absl::StrCat("imported ", imported, " keys into ", options.keystores,
                        ". If they have signed anything elsewhere, stop them there and import their signing records "
                        "before they run here; then remove ",
                        options.source, "\n");
  }
  return absl::OkStatus();
}

}  // namespace lean::validator
