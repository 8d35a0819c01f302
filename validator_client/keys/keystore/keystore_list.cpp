#include "validator_client/keys/keystore/keystore_list.h"

#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/bytes/bytes.h"
#include "common/config/yaml.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

constexpr size_t kMaxFileBytes = 4 << 20;  // kMaxKeystores entries of about 200 bytes fit several times

absl::Status ErrorAt(const std::string& origin, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(origin, ": ", message));
}

// Stores where each value was found first.
template <typename T>
class FirstSeen {
 public:
  explicit FirstSeen(absl::string_view what) : what_(what) {}

  absl::Status Add(const T& value, const std::string& origin, absl::string_view text) {
    const auto [found, inserted] = seen_.try_emplace(value, origin);
    if (inserted) return absl::OkStatus();
    return ErrorAt(origin, absl::StrCat(what_, " ", text, " appears twice, first at ", found->second));
  }

 private:
  absl::string_view what_;
  absl::flat_hash_map<T, std::string> seen_;
};

// A quoted YAML string.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

}  // namespace

absl::StatusOr<KeystoreEntry> ReadKeystoreEntry(const YamlValue& value, const std::string& list,
                                                const KeyFields& fields) {
  KeystoreEntry entry;
  entry.origin = absl::StrCat(list, ":", value.line());
  RETURN_IF_ERROR(value.CheckFields({"index", fields.pubkey, fields.path}));
  ASSIGN_OR_RETURN(const auto index_field, value.Field("index", "the validator's index in the registry"));
  ASSIGN_OR_RETURN(entry.index, index_field.Number(0, std::numeric_limits<uint64_t>::max()));
  ASSIGN_OR_RETURN(const auto pubkey_field, value.Field(fields.pubkey, "the public key, 52 bytes of hex"));
  ASSIGN_OR_RETURN(const std::string hex, pubkey_field.Text());
  ASSIGN_OR_RETURN(entry.pubkey, ParseFixedHex<PublicKeyBytes>(hex), pubkey_field.Error(_.message()));
  ASSIGN_OR_RETURN(const auto path_field, value.Field(fields.path, fields.meaning));
  ASSIGN_OR_RETURN(const std::string path, path_field.Text());
  if (path.empty()) return path_field.Error("expected the name of a file");
  // An absolute path replaces the folder.
  entry.path = (std::filesystem::path(list).parent_path() / path).lexically_normal().string();
  return entry;
}

absl::StatusOr<std::vector<KeystoreEntry>> ReadKeystoreList(const std::string& file) {
  ASSIGN_OR_RETURN(const YamlValue root, YamlValue::ReadFile(file, kMaxFileBytes));
  ASSIGN_OR_RETURN(const std::vector<YamlValue> items, root.Items(kMaxKeystores));
  if (items.empty()) return root.Error("lists no validators");
  const KeyFields fields = {"pubkey", "keystore", "the secret key file, relative to this one"};
  FirstSeen<uint64_t> indices("index");
  FirstSeen<PublicKeyBytes> pubkeys("pubkey");
  FirstSeen<std::string> files("keystore");
  std::vector<KeystoreEntry> entries;
  entries.reserve(items.size());
  for (const YamlValue& item : items) {
    ASSIGN_OR_RETURN(KeystoreEntry entry, ReadKeystoreEntry(item, file, fields));
    // Resolves paths, so that two names of one file are a duplicate. A missing file is an error later, when it is
    // opened.
    std::error_code ignored;
    const std::string real = std::filesystem::weakly_canonical(entry.path, ignored).string();
    for (const absl::Status& status : {indices.Add(entry.index, entry.origin, absl::StrCat(entry.index)),
                                       pubkeys.Add(entry.pubkey, entry.origin, ShortHex(entry.pubkey.span())),
                                       files.Add(real.empty() ? entry.path : real, entry.origin, entry.path)}) {
      RETURN_IF_ERROR(status);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string FolderOf(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::vector<std::string> KeyFolders(const std::vector<KeystoreEntry>& entries) {
  std::vector<std::string> folders;
  for (const KeystoreEntry& entry : entries) folders.push_back(FolderOf(entry.path));
  return folders;
}

std::string FormatKeystoreList(const std::vector<KeystoreEntry>& entries) {
  std::string text = "# Validators and their secret key files. Use each key in one process only.\n";
  for (const KeystoreEntry& entry : entries) {
    absl::StrAppend(&text, "- index: ", entry.index, "\n  pubkey: \"", ToHex(entry.pubkey.span()),
                    "\"\n  keystore: ", Quoted(entry.path), "\n");
  }
  return text;
}

}  // namespace lean::validator
