// What a client knows of the network that it works for, and whose word each part is.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_NETWORK_IDENTITY_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_NETWORK_IDENTITY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/config/genesis_folder.h"

namespace lean::validator {

// Public keys by validator index, at most kMaxGenesisValidators.
using Registry = std::vector<PublicKeyBytes>;

// What identifies the network that a client works for, for the life of its process.
struct Network {
  Root genesis_block_root;
  uint64_t genesis_time = 0;  // Unix seconds
  uint64_t slot_duration_ms = 0;
  uint64_t validator_count = 0;
  // Root, time and registry are recomputed from the genesis that the operator named. Null: the rest, the slot duration
  // excepted, is what the first beacon said.
  std::shared_ptr<const Registry> registry;

  bool genesis_checked() const { return registry != nullptr; }
};

// Places of beacons by the networks that they name (nullopt: it names none), most named first, otherwise in their
// order: while no network is known, no beacon among three says alone which it is.
std::vector<size_t> MostNamedFirst(const std::vector<std::optional<Network>>& named);

// What is known before any beacon has answered.
struct ExpectedNetwork {
  std::optional<Root> genesis_block_root;        // given by the operator
  std::optional<Network> network;                // the whole of it, from a genesis folder
  uint64_t slot_duration_ms = 4000;              // never a beacon's word
  std::string slot_duration_origin = "default";  // where that stands: a file, or an option
  uint32_t xmss_log_lifetime = 32;               // of our keys
  std::string signature_form = "flat";           // of the containers that we make
};

// A key of ours and where it must stand in the registry.
struct RegisteredKey {
  uint64_t index = 0;
  PublicKeyBytes pubkey;
  std::string origin;  // "FILE:LINE" of the keystore list
};

// The network that a genesis is of, recomputed from it. InvalidArgument: no genesis can have this registry.
absl::StatusOr<Network> NetworkOfGenesis(const GenesisConfig& genesis, uint64_t slot_duration_ms);

// InvalidArgument, with the key's origin: `registry`, which is `of` something, does not have the key at its index.
absl::Status CheckInRegistry(const Registry& registry, const std::string& of, const RegisteredKey& key);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_NETWORK_IDENTITY_H_
