#include "validator_client/keys/keystore_folder.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace fs = std::filesystem;

namespace {

bool HasKey(const std::string& path, const PublicKeyBytes& pubkey) {
  const absl::StatusOr<KeyFileSummary> summary = SummarizeKeyFile(path);
  return summary.ok() && summary->pubkey == pubkey;
}

// Whether the list on the disk may name this key.
bool MayName(const std::string& list_file, const PublicKeyBytes& pubkey) {
  const absl::StatusOr<KeystoreFolder> folder = KeystoreFolder::Open(list_file);
  return !folder.ok() || folder->Find(pubkey) != nullptr;
}

}  // namespace

absl::StatusOr<KeystoreFolder> KeystoreFolder::Open(const std::string& list_file) {
  KeystoreFolder folder(list_file);
  std::error_code error;
  if (fs::symlink_status(list_file, error).type() == fs::file_type::not_found) return folder;
  ASSIGN_OR_RETURN(folder.entries_, ReadKeystoreList(list_file));
  return folder;
}

const KeystoreEntry* KeystoreFolder::Find(uint64_t index) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [index](const KeystoreEntry& entry) { return entry.index == index; });
  return found == entries_.end() ? nullptr : &*found;
}

const KeystoreEntry* KeystoreFolder::Find(const PublicKeyBytes& pubkey) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&pubkey](const KeystoreEntry& entry) { return entry.pubkey == pubkey; });
  return found == entries_.end() ? nullptr : &*found;
}

absl::StatusOr<std::vector<KeystoreEntry>> KeystoreFolder::Select(const std::vector<uint64_t>& indices) const {
  std::vector<KeystoreEntry> selected;
  for (const uint64_t index : indices) {
    const KeystoreEntry* entry = Find(index);
    if (entry == nullptr) {
      return absl::NotFoundError(absl::StrCat(list_file_, " has no key of validator ", index));
    }
    selected.push_back(*entry);
  }
  return selected;
}

absl::Status KeystoreFolder::Add(uint64_t index, const xmss::SecretKey& key, const KeyState& state,
                                 const KeyProtection& protection, RandomSource& random) {
  return AddFile(index, PublicKeyBytesOf(key.scheme(), key.public_key()), protection.password != nullptr,
                 [&](const std::string& path, IfExists if_exists) {
                   return SaveKey(key, state, path, protection, random, if_exists);
                 });
}

absl::Status KeystoreFolder::Add(uint64_t index, const OpenedKeyFile& key, const KeyState& state,
                                 const KeyProtection& protection, RandomSource& random) {
  return AddFile(index, PublicKeyBytesOf(key.info.scheme, key.info.public_key), /*encrypted=*/true,
                 [&](const std::string& path, IfExists if_exists) {
                   return SaveOpenedKey(key, state, path, protection, random, if_exists);
                 });
}

absl::Status KeystoreFolder::AddFile(uint64_t index, const PublicKeyBytes& pubkey, bool encrypted, const Save& save) {
  if (entries_.size() >= kMaxKeystores) {
    return absl::ResourceExhaustedError(absl::StrCat(list_file_, " lists ", kMaxKeystores, " keys, the most it can"));
  }
  if (Find(index) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat(list_file_, " has a key for validator ", index, " already"));
  }
  if (const KeystoreEntry* same = Find(pubkey); same != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat(list_file_, " has the key ", ShortHex(pubkey.span()), " already, for validator ", same->index));
  }
  const fs::path folder = FolderOf(list_file_);
  RETURN_IF_ERROR(PreparePrivateFolder(folder.string()));
  const std::string path = (folder / KeyFileName(index, encrypted)).string();
  const bool was_there = HasKey(path, pubkey);
  RETURN_IF_ERROR(save(path, was_there ? IfExists::kReplace : IfExists::kFail));
  std::vector<KeystoreEntry> entries = entries_;
  entries.push_back(KeystoreEntry{index, pubkey, path, list_file_});
  absl::Status status = ReplaceEntries(std::move(entries));
  if (!status.ok() && !was_there && !MayName(list_file_, pubkey)) {
    std::error_code ignored;
    fs::remove(path, ignored);
    xmss::RemoveCaches(path);
  }
  return status;
}

absl::Status KeystoreFolder::Remove(const PublicKeyBytes& pubkey) {
  const KeystoreEntry* found = Find(pubkey);
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat(list_file_, " has no key ", ShortHex(pubkey.span())));
  }
  const std::string path = found->path;
  std::vector<KeystoreEntry> entries;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(entries),
               [&pubkey](const KeystoreEntry& entry) { return entry.pubkey != pubkey; });
  RETURN_IF_ERROR(ReplaceEntries(std::move(entries)));
  xmss::RemoveCaches(path);
  RETURN_IF_ERROR(RemovePrivateFile(path),
                  absl::InternalError(
                      absl::StrCat("the key is off the list, but its file must be removed by hand: ", _.message())));
  return absl::OkStatus();
}

absl::Status KeystoreFolder::ReplaceEntries(std::vector<KeystoreEntry> entries) {
  absl::Status status = WriteList(entries);
  if (status.ok()) {
    entries_ = std::move(entries);
  } else {
    // The list may have the new entries, without being durable.
    WriteList(entries_).IgnoreError();
  }
  return status;
}

absl::Status KeystoreFolder::WriteList(const std::vector<KeystoreEntry>& entries) const {
  if (entries.empty()) {  // a list of nothing is refused by those who read it
    return RemovePrivateFile(list_file_);
  }
  const fs::path folder = FolderOf(list_file_);
  std::vector<KeystoreEntry> relative = entries;
  for (KeystoreEntry& entry : relative) {
    const fs::path path = fs::path(entry.path).lexically_relative(folder);
    if (!path.empty() && *path.begin() != "..") entry.path = path.string();
  }
  const std::string text = FormatKeystoreList(relative);
  return WritePrivateFile(list_file_, BytesOfText(text), IfExists::kReplace);
}

absl::Status PreparePrivateFolder(const std::string& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::exists(status)) {
    if (!fs::is_directory(status)) return absl::AlreadyExistsError(absl::StrCat(folder, " is not a folder"));
    if ((status.permissions() & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
      return absl::PermissionDeniedError(
          absl::StrCat(folder, " is open to group or others: make it private (chmod 700) or name a new folder"));
    }
    return absl::OkStatus();
  }
  std::vector<fs::path> missing;  // innermost first
  for (fs::path path = (fs::absolute(folder) / "").lexically_normal().parent_path(); !fs::exists(path, error);
       path = path.parent_path()) {
    missing.push_back(path);
  }
  if (fs::create_directories(folder, error); error) {
    return absl::PermissionDeniedError(absl::StrCat("cannot make ", folder, ": ", error.message()));
  }
  if (fs::permissions(folder, fs::perms::owner_all, error); error) {
    return absl::PermissionDeniedError(absl::StrCat("cannot make ", folder, " private: ", error.message()));
  }
  // A key in a folder whose own name is not durable could be lost.
  for (const fs::path& path : missing) RETURN_IF_ERROR(SyncFolderOf(path.string()));
  return absl::OkStatus();
}

}  // namespace lean::validator
