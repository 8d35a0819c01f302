#include "validator_client/network.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "common/config/genesis.h"

namespace lean::validator {

absl::StatusOr<Network> NetworkOfGenesis(const GenesisConfig& genesis, uint64_t slot_duration_ms) {
  const absl::StatusOr<Genesis> made = MakeGenesis(genesis);
  if (!made.ok()) return made.status();
  return Network{made->block_root, genesis.genesis_time, slot_duration_ms, genesis.validators.size(),
                 std::make_shared<const Registry>(genesis.validators)};
}

absl::Status CheckInRegistry(const Registry& registry, const std::string& of, const RegisteredKey& key) {
  if (key.index >= registry.size()) {
    return absl::InvalidArgumentError(absl::StrCat(key.origin, ": index ", key.index, " is not in the registry of ", of,
                                                   ", which has ", registry.size(), " validators"));
  }
  if (const PublicKeyBytes& registered = registry[key.index]; registered != key.pubkey) {
    return absl::InvalidArgumentError(absl::StrCat(key.origin, ": the registry of ", of, " has the key ",
                                                   ShortHex(registered.span()), " at index ", key.index, ", not ",
                                                   ShortHex(key.pubkey.span())));
  }
  return absl::OkStatus();
}

}  // namespace lean::validator
