#include "validator_client/keys/keystore/key_manifest.h"

#include <optional>
#include <utility>

#include "absl/numeric/bits.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/yaml.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "common/process/whole_file.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "validator_client/keys/keystore/key_file.h"

namespace lean::validator {
namespace {

constexpr size_t kMaxManifestBytes = 4 << 20;
constexpr size_t kMaxEntries = 4096;  // of the registry

absl::Status CheckCount(const YamlValue& root, size_t entries) {
  const absl::StatusOr<std::optional<YamlValue>> field = root.OptionalField("num_validators");
  if (!field.ok() || !field->has_value()) return field.status();
  ASSIGN_OR_RETURN(const uint64_t count, (*field)->Number(0, kMaxEntries));
  if (count == entries) return absl::OkStatus();
  return (*field)->Error(absl::StrCat("is ", count, ", but the list has ", entries, " validators: make them agree"));
}

}  // namespace

absl::StatusOr<KeyManifest> ReadKeyManifest(const std::string& file) {
  ASSIGN_OR_RETURN(const YamlValue root, YamlValue::ReadFile(file, kMaxManifestBytes));
  ASSIGN_OR_RETURN(std::string warning,
                   root.UnknownFields({"key_scheme", "hash_function", "encoding", "lifetime", "log_num_active_epochs",
                                       "num_active_epochs", "num_validators", "validators"}));
  ASSIGN_OR_RETURN(const YamlValue list, root.Field("validators", "the list of keys"));
  ASSIGN_OR_RETURN(const std::vector<YamlValue> items, list.Items(kMaxEntries));
  const KeyFields fields = {"pubkey_hex", "privkey_file", "the secret key in SSZ, relative to this file"};
  std::vector<KeystoreEntry> entries;
  for (const YamlValue& item : items) {
    ASSIGN_OR_RETURN(KeystoreEntry entry, ReadKeystoreEntry(item, file, fields));
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return list.Error("lists no keys");
  RETURN_IF_ERROR(CheckCount(root, entries.size()));
  return KeyManifest{std::move(entries), std::move(warning)};
}

absl::Status WriteHashSigKey(const std::string& folder, uint64_t index, const xmss::SecretKey& key) {
  const std::string begin = absl::StrCat(folder, "/validator_", index);
  const PublicKeyBytes pubkey = PublicKeyBytesOf(key.scheme(), key.public_key());
  RETURN_IF_ERROR(WritePrivateFile(absl::StrCat(begin, "_pk.ssz"), pubkey.span(), IfExists::kFail));
  return WritePrivateFile(absl::StrCat(begin, "_sk.ssz"), xmss::EncodeLeanSigSecretKey(key).span(), IfExists::kFail);
}

absl::Status WriteKeyManifest(const std::string& folder, const HashSigNetwork& network,
                              const std::vector<std::pair<uint64_t, PublicKeyBytes>>& keys) {
  std::string text = absl::StrCat(
      "# Which key file is whose: leanSig's keys, not encrypted.\n"
      "key_scheme: SIGTopLevelTargetSumLifetime",
      network.log_lifetime,
      "Dim64Base8\nhash_function: Poseidon2\nencoding: TargetSum\nlifetime: ", uint64_t{1} << network.log_lifetime,
      "\nlog_num_active_epochs: ", absl::bit_width(network.active_slots) - 1,
      "\nnum_active_epochs: ", network.active_slots, "\nnum_validators: ", keys.size(), "\n\nvalidators:\n");
  for (const auto& [index, pubkey] : keys) {
    absl::StrAppend(&text, "  - index: ", index, "\n    pubkey_hex: ", ToHex(pubkey.span()),
                    "\n    privkey_file: validator_", index, "_sk.ssz\n\n");
  }
  return WriteNewTextFile(absl::StrCat(folder, "/", kManifestName), text);
}

}  // namespace lean::validator
