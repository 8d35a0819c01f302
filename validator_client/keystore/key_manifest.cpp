#include "validator_client/keystore/key_manifest.h"

#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/config/yaml.h"

namespace lean::validator {
namespace {

constexpr size_t kMaxManifestBytes = 4 << 20;
constexpr size_t kMaxEntries = 4096;  // of the registry

absl::StatusOr<ManifestEntry> ParseEntry(const YamlValue& value, const std::string& file) {
  ManifestEntry entry;
  entry.origin = absl::StrCat(file, ":", value.line());
  if (absl::Status status = value.CheckFields({"index", "pubkey_hex", "privkey_file"}); !status.ok()) return status;
  const auto index_field = value.Field("index", "the validator's index in the registry");
  if (!index_field.ok()) return index_field.status();
  const absl::StatusOr<uint64_t> index = index_field->Number(0, std::numeric_limits<uint64_t>::max());
  if (!index.ok()) return index.status();
  const auto pubkey_field = value.Field("pubkey_hex", "the public key, 52 bytes of hex");
  if (!pubkey_field.ok()) return pubkey_field.status();
  const absl::StatusOr<std::string> hex = pubkey_field->Text();
  if (!hex.ok()) return hex.status();
  const absl::StatusOr<PublicKeyBytes> pubkey = ParseFixedHex<PublicKeyBytes>(*hex);
  if (!pubkey.ok()) return pubkey_field->Error(pubkey.status().message());
  const auto file_field = value.Field("privkey_file", "the secret key in SSZ, relative to this file");
  if (!file_field.ok()) return file_field.status();
  const absl::StatusOr<std::string> name = file_field->Text();
  if (!name.ok()) return name.status();
  if (name->empty()) return file_field->Error("expected the name of a file");
  entry.index = *index;
  entry.pubkey = *pubkey;
  entry.path = (std::filesystem::path(file).parent_path() / *name).lexically_normal().string();
  return entry;
}

absl::Status CheckCount(const YamlValue& root, size_t entries) {
  const absl::StatusOr<std::optional<YamlValue>> field = root.OptionalField("num_validators");
  if (!field.ok() || !field->has_value()) return field.status();
  const absl::StatusOr<uint64_t> count = (*field)->Number(0, kMaxEntries);
  if (!count.ok()) return count.status();
  if (*count == entries) return absl::OkStatus();
  return (*field)->Error(absl::StrCat("is ", *count, ", but the list has ", entries, " validators: make them agree"));
}

}  // namespace

absl::StatusOr<KeyManifest> ReadKeyManifest(const std::string& file) {
  const absl::StatusOr<YamlValue> root = YamlValue::ReadFile(file, kMaxManifestBytes);
  if (!root.ok()) return root.status();
  absl::StatusOr<std::string> warning =
      root->UnknownFields({"key_scheme", "hash_function", "encoding", "lifetime", "log_num_active_epochs",
                           "num_active_epochs", "num_validators", "validators"});
  if (!warning.ok()) return warning.status();
  const absl::StatusOr<YamlValue> list = root->Field("validators", "the list of keys");
  if (!list.ok()) return list.status();
  const absl::StatusOr<std::vector<YamlValue>> items = list->Items(kMaxEntries);
  if (!items.ok()) return items.status();
  std::vector<ManifestEntry> entries;
  for (const YamlValue& item : *items) {
    absl::StatusOr<ManifestEntry> entry = ParseEntry(item, file);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  if (entries.empty()) return list->Error("lists no keys");
  if (absl::Status status = CheckCount(*root, entries.size()); !status.ok()) return status;
  return KeyManifest{std::move(entries), *std::move(warning)};
}

}  // namespace lean::validator
