#include "validator_client/commands/keys/keys_upgrade.h"

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/status/status_macros.h"
#include "validator_client/commands/keys/keys_export.h"

namespace lean::validator {
namespace {

const char* ResultOf(Upgrade upgrade) {
  switch (upgrade) {
    case Upgrade::kConverted:
      return "upgraded";
    case Upgrade::kState:
      return "state_updated";
    case Upgrade::kPlain:
      return "plain";
    case Upgrade::kUnchanged:
      break;
  }
  return "unchanged";
}

}  // namespace

absl::Status UpgradeKeys(const KeysUpgradeOptions& options, RandomSource& random, std::ostream& out) {
  std::vector<uint64_t> indices = options.indices;
  if (indices.empty()) {
    ASSIGN_OR_RETURN(const std::vector<KeystoreEntry> entries, ReadKeystoreList(options.keystores));
    for (const KeystoreEntry& entry : entries) indices.push_back(entry.index);
  }
  // Keys without records have signed nothing that is known here: their state says so, and permits nothing.
  ASSIGN_OR_RETURN(KeyRecords records,
                   KeyRecords::Open(options.keystores, indices, {.database = options.records, .never_signed = true}));
  for (const KeystoreEntry& key : records.keys()) {
    if (options.stop.stop_requested()) return absl::CancelledError("the keys that follow were not upgraded");
    KeyState state;
    ASSIGN_OR_RETURN(state.high_water, records.HighestSlot(key.pubkey));
    ASSIGN_OR_RETURN(const Upgrade upgrade, UpgradeKeyFile(key.path, state, options.password, options.cost, random));
    out << "index=" << key.index << " pubkey=" << ShortHex(key.pubkey.span()) << " result=" << ResultOf(upgrade)
        << " file=" << key.path << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace lean::validator
