#include "validator_client/beacons/network_identity.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/genesis.h"
#include "common/status/status_macros.h"

namespace lean::validator {

std::vector<size_t> MostNamedFirst(const std::vector<std::optional<NetworkIdentity>>& named) {
  using Name = std::tuple<Root, uint64_t, uint64_t, uint64_t>;
  const auto name_of = [](const NetworkIdentity& network) {
    return Name(network.genesis_block_root, network.genesis_time, network.slot_duration_ms, network.validator_count);
  };
  std::map<Name, size_t> times;
  for (const std::optional<NetworkIdentity>& network : named) {
    if (network.has_value()) ++times[name_of(*network)];
  }
  std::vector<size_t> places(named.size());
  std::iota(places.begin(), places.end(), size_t{0});
  const auto times_of = [&](size_t place) {
    return named[place].has_value() ? times.at(name_of(*named[place])) : size_t{0};
  };
  std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) { return times_of(a) > times_of(b); });
  return places;
}

absl::StatusOr<NetworkIdentity> NetworkOfGenesis(const GenesisConfig& genesis, uint64_t slot_duration_ms) {
  ASSIGN_OR_RETURN(const Genesis made, MakeGenesis(genesis));
  return NetworkIdentity{made.block_root, genesis.genesis_time, slot_duration_ms, genesis.validators.size(),
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
