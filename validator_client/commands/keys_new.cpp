#include "validator_client/commands/keys_new.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/config/text_file.h"
#include "common/containers/limits.h"
#include "common/crypto/xmss/key_generation.h"
#include "common/crypto/xmss/secret_key_file.h"
#include "validator_client/commands/key_progress.h"
#include "validator_client/keystore_list.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

std::string KeyFileName(uint64_t index) { return absl::StrCat("validator_", index, ".key"); }

absl::Status PrepareFolder(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::exists(status)) {
    if (!fs::is_directory(status)) return absl::AlreadyExistsError(absl::StrCat(folder.string(), " is not a folder"));
    if ((status.permissions() & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
      return absl::PermissionDeniedError(absl::StrCat(
          folder.string(), " is open to group or others: make it private (chmod 700) or name a new folder"));
    }
    return absl::OkStatus();
  }
  if (fs::create_directories(folder, error); error) {
    return absl::PermissionDeniedError(absl::StrCat("cannot make ", folder.string(), ": ", error.message()));
  }
  if (fs::permissions(folder, fs::perms::owner_all, error); error) {
    return absl::PermissionDeniedError(absl::StrCat("cannot make ", folder.string(), " private: ", error.message()));
  }
  return absl::OkStatus();
}

// Everything that MakeKeys writes into its folder.
std::vector<fs::path> FilesOf(const fs::path& folder, const std::vector<uint64_t>& indices, const fs::path& list) {
  std::vector<fs::path> files = {list};
  for (const uint64_t index : indices) {
    const fs::path key = folder / KeyFileName(index);
    files.push_back(key);
    files.push_back(xmss::TreeCachePath(key.string()));
  }
  return files;
}

absl::StatusOr<PublicKeyBytes> MakeKey(const xmss::Scheme& scheme, const xmss::SlotRange& active, unsigned threads,
                                       xmss::RandomSource& random, const std::string& path,
                                       const std::function<bool(double)>& progress) {
  const absl::StatusOr<xmss::SecretKey> key =
      xmss::GenerateKey(scheme, active, random, xmss::KeyGenerationOptions{threads, progress});
  if (!key.ok()) return key.status();
  if (absl::Status status = xmss::SaveSecretKey(*key, path); !status.ok()) return status;
  const std::vector<uint8_t> encoded = xmss::EncodePublicKey(scheme, key->public_key());
  PublicKeyBytes pubkey;
  if (encoded.size() != pubkey.data.size()) return absl::InternalError("a public key of another size");
  std::copy(encoded.begin(), encoded.end(), pubkey.data.begin());
  return pubkey;
}

}  // namespace

absl::Status MakeKeys(const KeysNewOptions& options, xmss::RandomSource& random, const std::atomic<bool>& cancelled,
                      std::ostream& out, bool terminal) {
  const absl::StatusOr<xmss::Scheme> scheme = xmss::Scheme::Create(options.log_lifetime);
  if (!scheme.ok()) return scheme.status();
  const uint64_t active_slots =
      options.active_slots != 0 ? options.active_slots : std::min(scheme->lifetime(), kHistoricalRootsLimit);
  const absl::StatusOr<xmss::SlotRange> active = xmss::WidenActiveRange(*scheme, {0, active_slots});
  if (!active.ok()) return active.status();

  const fs::path folder = options.output_dir;
  if (absl::Status status = PrepareFolder(folder); !status.ok()) return status;
  const fs::path list = folder / "keystores.yaml";
  const std::vector<fs::path> files = FilesOf(folder, options.indices, list);
  for (const fs::path& file : files) {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(file, ignored))) {
      return absl::AlreadyExistsError(absl::StrCat(file.string(), " is there already: name another folder"));
    }
  }
  // Keys that no list names would only be in the way of the next attempt.
  absl::Cleanup remove_files = [&files] {
    std::error_code ignored;
    for (const fs::path& file : files) fs::remove(file, ignored);
  };

  KeyProgress progress(out, terminal, options.indices.size());
  const auto now = [] { return std::chrono::steady_clock::now(); };
  std::vector<KeystoreEntry> entries;
  for (const uint64_t index : options.indices) {
    progress.Begin(index, now());
    const std::string name = KeyFileName(index);
    const absl::StatusOr<PublicKeyBytes> pubkey =
        MakeKey(*scheme, *active, options.threads, random, (folder / name).string(), [&](double fraction) {
          progress.Update(fraction, now());
          return !cancelled;
        });
    if (!pubkey.ok()) {
      progress.Abandon();
      return pubkey.status();
    }
    progress.End(now());
    entries.push_back(KeystoreEntry{index, *pubkey, name, ""});
  }
  if (absl::Status status = WriteNewTextFile(list.string(), FormatKeystoreList(entries)); !status.ok()) return status;
  std::move(remove_files).Cancel();
  out << absl::StrCat("made ", entries.size(), " keys of lifetime 2^", options.log_lifetime, " for slots ",
                      active->first, " to ", active->end - 1, "; their list is ", list.string(), "\n");
  return absl::OkStatus();
}

}  // namespace lean::validator
