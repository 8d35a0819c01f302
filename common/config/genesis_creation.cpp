#include "common/config/genesis_creation.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/config/yaml.h"
#include "common/crypto/signature_scheme.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr size_t kMaxKeysFileBytes = 4 * 1024 * 1024;

// The keys of all files by index, and the nodes that run them.
class Registry {
 public:
  explicit Registry(const crypto::SignatureScheme& scheme) : scheme_(scheme) {}

  absl::Status AddFile(const ValidatorKeysFile& file) {
    if (!IsPlainName(file.node)) {
      return absl::InvalidArgumentError(
          absl::StrCat("name of the node of ", file.path, ": expected 1 to 64 letters, digits, '-', '_' or '.'"));
    }
    if (assignment_.contains(file.node)) {
      return absl::InvalidArgumentError(absl::StrCat("two files for node ", file.node, ": name each node once"));
    }
    ASSIGN_OR_RETURN(const YamlValue root, YamlValue::ReadFile(file.path, kMaxKeysFileBytes));
    ASSIGN_OR_RETURN(const std::vector<YamlValue> entries, root.Items(kMaxGenesisValidators));
    std::vector<uint64_t>& indices = assignment_[file.node];
    for (const YamlValue& entry : entries) {
      RETURN_IF_ERROR(AddEntry(entry, file.path, indices));
    }
    return absl::OkStatus();
  }

  // The keys in the order of their indexes. InvalidArgument: an index has no key.
  absl::StatusOr<std::vector<PublicKeyBytes>> TakeKeys() {
    if (keys_.empty()) return absl::InvalidArgumentError("no validators: name at least one file with public keys");
    std::vector<PublicKeyBytes> keys;
    for (const auto& [index, key] : keys_) {
      if (index != keys.size()) {
        return absl::InvalidArgumentError(absl::StrCat("validator ", keys.size(), " has no key: indices go from 0 to ",
                                                       keys_.rbegin()->first, " without a gap"));
      }
      keys.push_back(key);
    }
    return keys;
  }

  const ValidatorAssignment& assignment() const { return assignment_; }

 private:
  absl::Status AddEntry(const YamlValue& entry, const std::string& path, std::vector<uint64_t>& indices) {
    RETURN_IF_ERROR(entry.CheckFields({"index", "pubkey", "keystore"}));
    ASSIGN_OR_RETURN(const YamlValue index_field, entry.Field("index", "the validator's index"));
    ASSIGN_OR_RETURN(const uint64_t index, index_field.Number(0, kMaxGenesisValidators - 1));
    ASSIGN_OR_RETURN(const YamlValue key_field, entry.Field("pubkey", "the validator's public key, 52 bytes of hex"));
    ASSIGN_OR_RETURN(const std::string text, key_field.Text());
    ASSIGN_OR_RETURN(const PublicKeyBytes key, ParseFixedHex<PublicKeyBytes>(text),
                     key_field.Error(absl::StrCat("not a public key: ", _.message())));
    RETURN_IF_ERROR(scheme_.CheckPublicKey(key), key_field.Error(_.message()));

    const std::string place = absl::StrCat(path, ":", entry.line());
    const auto [index_place, new_index] = index_places_.emplace(index, place);
    if (!new_index) return index_field.Error(absl::StrCat("index ", index, " is also at ", index_place->second));
    const auto [key_place, new_key] = key_places_.emplace(key, place);
    if (!new_key) {
      return key_field.Error(
          absl::StrCat("this key is also at ", key_place->second, ": a leaf of it can sign for one validator only"));
    }
    keys_.emplace(index, key);
    indices.push_back(index);
    return absl::OkStatus();
  }

  const crypto::SignatureScheme& scheme_;
  ValidatorAssignment assignment_;
  std::map<uint64_t, PublicKeyBytes> keys_;
  absl::flat_hash_map<uint64_t, std::string> index_places_;
  absl::flat_hash_map<PublicKeyBytes, std::string> key_places_;
};

absl::Status CheckGenesisTime(uint64_t genesis_time, int64_t now_ms) {
  if (genesis_time > kMaxGenesisTime) {
    return absl::InvalidArgumentError(
        absl::StrCat("genesis time ", genesis_time, " is beyond the year 9999: give it in Unix seconds"));
  }
  if (static_cast<int64_t>(genesis_time) * 1000 <= now_ms) {
    return absl::InvalidArgumentError(absl::StrCat("genesis time ", genesis_time, " has passed (now is ", now_ms / 1000,
                                                   "): validators could not start in time"));
  }
  return absl::OkStatus();
}

// config.yaml is written last, so that a folder left unfinished by a crash is no valid genesis.
absl::Status WriteFiles(const GenesisConfig& config, const ValidatorAssignment& assignment, const NetworkSpec& network,
                        const std::string& folder) {
  RETURN_IF_ERROR(WriteNetworkSpec(network, folder));
  RETURN_IF_ERROR(WriteValidatorAssignment(assignment, folder));
  return WriteGenesisConfig(config, folder);
}

}  // namespace

absl::StatusOr<GenesisConfig> CreateGenesisFolder(const GenesisRequest& request, int64_t now_ms) {
  RETURN_IF_ERROR(CheckNetworkSpec(request.network));
  RETURN_IF_ERROR(CheckGenesisTime(request.genesis_time, now_ms));
  ASSIGN_OR_RETURN(const crypto::SignatureScheme scheme, crypto::SignatureScheme::Create(request.network));
  Registry registry(scheme);
  for (const ValidatorKeysFile& file : request.key_files) {
    RETURN_IF_ERROR(registry.AddFile(file));
  }
  ASSIGN_OR_RETURN(std::vector<PublicKeyBytes> keys, registry.TakeKeys());
  GenesisConfig config{
      .genesis_time = request.genesis_time, .active_epoch = request.active_epoch, .validators = std::move(keys)};

  // Creating the folder claims it, so that two runs at the same time cannot mix their files.
  if (mkdir(request.output_dir.c_str(), 0755) != 0) {
    if (errno == EEXIST) {
      return absl::AlreadyExistsError(
          absl::StrCat(request.output_dir, " exists: choose another folder, or remove it if its network is gone"));
    }
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make the folder ", request.output_dir));
  }
  if (absl::Status status = WriteFiles(config, registry.assignment(), request.network, request.output_dir);
      !status.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(request.output_dir, ignored);
    return status;
  }
  return config;
}

}  // namespace lean
