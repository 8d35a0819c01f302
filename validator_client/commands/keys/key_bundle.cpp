#include "validator_client/commands/keys/key_bundle.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/json_document.h"
#include "common/process/whole_file.h"
#include "common/status/status_macros.h"
#include "nlohmann/json.hpp"
#include "validator_client/keys/keystore/json_fields.h"
#include "validator_client/keys/keystore/keystore_list.h"

namespace lean::validator {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr char kFormat[] = "lean-keys-with-records";
constexpr uint64_t kVersion = 1;
constexpr size_t kMaxDepth = 12;

absl::Status At(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

absl::StatusOr<BundledKey> ReadKey(const json& value, const std::string& path) {
  JsonFields fields(value);
  BundledKey key;
  key.index = fields.Number("validator_index");
  const json* keystore = fields.Object("keystore");
  fields.ExpectNothingElse();
  RETURN_IF_ERROR(fields.status(), absl::InvalidArgumentError(absl::StrCat(path, ".", _.message())));
  ASSIGN_OR_RETURN(key.keystore, ReadKeystore(*keystore),
                   absl::InvalidArgumentError(absl::StrCat(path, ".keystore.", _.message())));
  if (key.keystore.form == SecretForm::kKeyFile || key.keystore.state.recovery_only) {
    return At(path, "is no keystore of version 5 for signing");
  }
  return key;
}

std::optional<uint64_t> HighestOf(const KeyHistory& history) {
  std::optional<uint64_t> highest;
  for (const SignedLeaf& leaf : history.leaves) highest = std::max(highest, std::optional<uint64_t>(leaf.slot));
  return highest;
}

// Puts the records in the order of the keys.
absl::Status MatchHistories(std::vector<KeyHistory> histories, KeyBundle& bundle) {
  if (histories.size() != bundle.keys.size()) return At("records.data", "does not have one entry for each key");
  for (size_t i = 0; i < bundle.keys.size(); ++i) {
    const EncryptedKeystore& keystore = bundle.keys[i].keystore;
    const auto history = std::find_if(histories.begin(), histories.end(), [&keystore](const KeyHistory& candidate) {
      return candidate.pubkey == keystore.pubkey;
    });
    const std::string path = absl::StrCat("keys[", i, "]");
    if (history == histories.end()) return At(path, "has no records");
    if (HighestOf(*history) < keystore.state.high_water) {
      return At(path,
                "has signed a slot (state.high_water) above its records: they are not the records of this export");
    }
    bundle.histories.push_back(std::move(*history));
  }
  return absl::OkStatus();
}

// Whether a text claims to be a bundle. A keystore is none.
bool IsKeyBundle(absl::string_view text) {
  const absl::StatusOr<json> root = ParseJson(text, kMaxDepth);
  return root.ok() && root->is_object() && root->contains("format") && root->contains("records");
}

}  // namespace

absl::StatusOr<KeyBundle> ParseKeyBundle(absl::string_view text) {
  ASSIGN_OR_RETURN(const json root, ParseJson(text, kMaxDepth));
  JsonFields fields(root);
  fields.Expect("format", kFormat);
  fields.Expect("version", kVersion);
  const json* keys = fields.Array("keys");
  const json* records = fields.Object("records");
  fields.ExpectNothingElse();
  RETURN_IF_ERROR(fields.status());
  if (keys->empty() || keys->size() > kMaxKeystores) {
    return At("keys", absl::StrCat("has not 1 to ", kMaxKeystores, " keys"));
  }
  KeyBundle bundle;
  std::set<uint64_t> indices;
  std::set<PublicKeyBytes> pubkeys;
  for (size_t i = 0; i < keys->size(); ++i) {
    const std::string path = absl::StrCat("keys[", i, "]");
    ASSIGN_OR_RETURN(BundledKey key, ReadKey((*keys)[i], path));
    if (!indices.insert(key.index).second) return At(path, "has the index of an earlier key");
    if (!pubkeys.insert(key.keystore.pubkey).second) return At(path, "is an earlier key");
    bundle.keys.push_back(std::move(key));
  }
  ASSIGN_OR_RETURN(std::vector<KeyHistory> histories, ReadInterchange(*records, "records"));
  RETURN_IF_ERROR(MatchHistories(std::move(histories), bundle));
  return bundle;
}

absl::StatusOr<std::optional<KeyBundle>> ReadKeyBundle(const std::string& file, const std::vector<uint64_t>& indices) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored) || !absl::EndsWith(file, ".json")) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxBundleBytes));
  if (!IsKeyBundle(text)) return std::nullopt;
  ASSIGN_OR_RETURN(KeyBundle bundle, ParseKeyBundle(text),
                   absl::Status(_.code(), absl::StrCat(file, ": ", _.message())));
  if (indices.empty()) return bundle;
  KeyBundle selected;
  for (const uint64_t index : indices) {
    const auto key = std::find_if(bundle.keys.begin(), bundle.keys.end(),
                                  [index](const BundledKey& candidate) { return candidate.index == index; });
    if (key == bundle.keys.end()) {
      return absl::InvalidArgumentError(absl::StrCat(file, " has no key of validator ", index));
    }
    selected.keys.push_back(*key);
    selected.histories.push_back(bundle.histories[static_cast<size_t>(key - bundle.keys.begin())]);
  }
  return selected;
}

std::string FormatKeyBundle(const KeyBundle& bundle) {
  ordered_json keys = ordered_json::array();
  for (const BundledKey& key : bundle.keys) {
    keys.push_back({{"validator_index", key.index}, {"keystore", KeystoreToJson(key.keystore)}});
  }
  const ordered_json root = {{"format", kFormat},
                             {"version", kVersion},
                             {"keys", std::move(keys)},
                             {"records", Eip3076ToJson(bundle.histories, InterchangeForm::kLeaves, Root())}};
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace lean::validator
