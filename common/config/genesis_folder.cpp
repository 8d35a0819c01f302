#include "common/config/genesis_folder.h"

#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/config/yaml.h"
#include "common/process/whole_file.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr size_t kMaxFileBytes = 1024 * 1024;  // 4096 keys need half of it
constexpr uint64_t kMaxActiveEpoch = 32;

std::string ConfigPath(const std::string& genesis_dir) { return absl::StrCat(genesis_dir, "/config.yaml"); }
std::string AssignmentPath(const std::string& genesis_dir) { return absl::StrCat(genesis_dir, "/validators.yaml"); }
// validators.yaml with the key of each validator.
std::string AnnotatedPath(const std::string& genesis_dir) {
  return absl::StrCat(genesis_dir, "/annotated_validators.yaml");
}

absl::StatusOr<uint64_t> ReadNumber(const YamlValue& root, absl::string_view name, absl::string_view meaning,
                                    uint64_t min, uint64_t max) {
  ASSIGN_OR_RETURN(YamlValue field, root.Field(name, meaning));
  return field.Number(min, max);
}

absl::StatusOr<std::vector<PublicKeyBytes>> ReadKeys(const YamlValue& list, std::vector<std::string>& warnings) {
  ASSIGN_OR_RETURN(std::vector<YamlValue> items, list.Items(kMaxGenesisValidators));
  std::vector<PublicKeyBytes> keys;
  keys.reserve(items.size());
  absl::flat_hash_map<PublicKeyBytes, size_t> first_index;
  for (const YamlValue& item : items) {
    ASSIGN_OR_RETURN(std::string text, item.Text());
    ASSIGN_OR_RETURN(const PublicKeyBytes key, ParseFixedHex<PublicKeyBytes>(text),
                     item.Error(absl::StrCat("not a public key: ", _.message())));
    const auto [first, inserted] = first_index.emplace(key, keys.size());
    if (!inserted) {
      warnings.emplace_back(item.Error(absl::StrCat("the same key as index ", first->second)).message());
    }
    keys.push_back(key);
  }
  return keys;
}

}  // namespace

absl::StatusOr<GenesisConfig> ReadGenesisConfig(const std::string& genesis_dir, std::vector<std::string>* warnings) {
  ASSIGN_OR_RETURN(const YamlValue root, YamlValue::ReadFile(ConfigPath(genesis_dir), kMaxFileBytes));
  std::vector<std::string> found;
  ASSIGN_OR_RETURN(const std::string unknown,
                   root.UnknownFields({"GENESIS_TIME", "ACTIVE_EPOCH", "VALIDATOR_COUNT", "GENESIS_VALIDATORS"}));
  if (!unknown.empty()) found.push_back(unknown);

  GenesisConfig config;
  ASSIGN_OR_RETURN(config.genesis_time,
                   ReadNumber(root, "GENESIS_TIME", "the Unix time of slot 0, in seconds", 0, kMaxGenesisTime));

  ASSIGN_OR_RETURN(const std::optional<YamlValue> active_epoch, root.OptionalField("ACTIVE_EPOCH"));
  if (active_epoch.has_value()) {
    ASSIGN_OR_RETURN(config.active_epoch, active_epoch->Number(0, kMaxActiveEpoch));
  }

  ASSIGN_OR_RETURN(uint64_t count, ReadNumber(root, "VALIDATOR_COUNT", "the number of keys in GENESIS_VALIDATORS", 1,
                                              kMaxGenesisValidators));
  ASSIGN_OR_RETURN(
      const YamlValue list,
      root.Field("GENESIS_VALIDATORS", "the list of the validators' public keys, 52 bytes of hex each, by index"));
  ASSIGN_OR_RETURN(config.validators, ReadKeys(list, found));
  if (config.validators.size() != count) {
    return list.Error(absl::StrCat("the list has ", config.validators.size(), " keys but VALIDATOR_COUNT is ", count,
                                   ": make them agree"));
  }
  if (warnings != nullptr) warnings->insert(warnings->end(), found.begin(), found.end());
  return config;
}

absl::Status WriteGenesisConfig(const GenesisConfig& config, const std::string& genesis_dir) {
  if (config.active_epoch > kMaxActiveEpoch) {
    return absl::InvalidArgumentError(
        absl::StrCat("active epoch ", config.active_epoch, ": expected a whole number from 0 to ", kMaxActiveEpoch));
  }
  std::string text = "# Genesis of a lean network: the same file on all its nodes.\n";
  absl::StrAppend(&text, "GENESIS_TIME: ", config.genesis_time, "\n");
  absl::StrAppend(&text, "ACTIVE_EPOCH: ", config.active_epoch, "\n");
  absl::StrAppend(&text, "VALIDATOR_COUNT: ", config.validators.size(), "\n");
  absl::StrAppend(&text, "GENESIS_VALIDATORS:\n");
  for (const PublicKeyBytes& key : config.validators) {
    absl::StrAppend(&text, "  - \"",
                    absl::BytesToHexString({reinterpret_cast<const char*>(key.data.data()), key.data.size()}), "\"\n");
  }
  return WriteNewTextFile(ConfigPath(genesis_dir), text);
}

absl::StatusOr<ValidatorAssignment> ReadValidatorAssignment(const std::string& genesis_dir, uint64_t validator_count) {
  absl::StatusOr<YamlValue> annotated = YamlValue::ReadFile(AnnotatedPath(genesis_dir), kMaxFileBytes);
  const bool is_annotated = !absl::IsNotFound(annotated.status());
  ASSIGN_OR_RETURN(const YamlValue root, is_annotated
                                             ? std::move(annotated)
                                             : YamlValue::ReadFile(AssignmentPath(genesis_dir), kMaxFileBytes));
  ASSIGN_OR_RETURN(const auto nodes, root.Fields());
  ValidatorAssignment assignment;
  absl::flat_hash_map<uint64_t, std::string> claimed_by;
  for (const auto& [name, list] : nodes) {
    ASSIGN_OR_RETURN(const std::vector<YamlValue> items, list.Items(kMaxGenesisValidators));
    std::vector<uint64_t>& indices = assignment[name];
    for (const YamlValue& item : items) {
      ASSIGN_OR_RETURN(const uint64_t index,
                       is_annotated ? ReadNumber(item, "index", "the validator's index", 0, kMaxGenesisValidators)
                                    : item.Number(0, kMaxGenesisValidators));
      if (index >= validator_count) {
        return item.Error(absl::StrCat("validator ", index, " is not in the genesis: it has ", validator_count));
      }
      const auto [claim, inserted] = claimed_by.emplace(index, name);
      if (!inserted) {
        return item.Error(absl::StrCat("validator ", index, " is run by ", claim->second,
                                       " already: two signers with one key endanger it"));
      }
      indices.push_back(index);
    }
  }
  return assignment;
}

absl::Status WriteValidatorAssignment(const ValidatorAssignment& assignment, const std::string& genesis_dir) {
  std::string text = "# Which node runs which validators.\n";
  for (const auto& [name, indices] : assignment) {
    if (!IsPlainName(name)) {
      return absl::InvalidArgumentError(absl::StrCat("node name \"", absl::CHexEscape(name),
                                                     "\": expected 1 to 64 letters, digits, '-', '_' or '.'"));
    }
    absl::StrAppend(&text, name, ":\n");
    for (uint64_t index : indices) absl::StrAppend(&text, "  - ", index, "\n");
  }
  return WriteNewTextFile(AssignmentPath(genesis_dir), text);
}

}  // namespace lean
