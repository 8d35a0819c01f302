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

// What identifies the network that a client works for. Fixed for the life of the process.
struct NetworkIdentity {
  Root genesis_block_root;
  uint64_t genesis_time = 0;  // Unix seconds
  uint64_t slot_duration_ms = 0;
  uint64_t validator_count = 0;
  // Set when root, time and registry were recomputed from the genesis that the operator named. Null: they are what the
  // first beacon said. The slot duration never comes from a beacon.
  std::shared_ptr<const Registry> registry;

  bool genesis_checked() const { return registry != nullptr; }
};

// The indices of beacons, sorted by how many beacons name the same network (nullopt: the beacon names none), most named
// first, and otherwise in their order. So no single beacon among three decides which network it is.
std::vector<size_t> MostNamedFirst(const std::vector<std::optional<NetworkIdentity>>& named);

// What is known about the network before any beacon has answered.
struct ExpectedNetwork {
  std::optional<Root> genesis_block_root;        // as the operator gave it
  std::optional<NetworkIdentity> network;        // the whole of it, from a genesis folder
  uint64_t slot_duration_ms = 4000;              // never taken from a beacon
  std::string slot_duration_origin = "default";  // where the duration is from: a file or an option
  uint32_t xmss_log_lifetime = 32;               // of our keys
  std::string signature_form = "flat";           // of the containers that we make
};

// A key of this client and its index in the registry.
struct RegisteredKey {
  uint64_t index = 0;
  PublicKeyBytes pubkey;
  std::string origin;  // "FILE:LINE" of the keystore list
};

// Computes the network of a genesis. InvalidArgument: no genesis can have this registry.
absl::StatusOr<NetworkIdentity> NetworkOfGenesis(const GenesisConfig& genesis, uint64_t slot_duration_ms);

// InvalidArgument: `registry` does not have the key at its index. The error names the key's origin and `of`, the source
// of the registry.
absl::Status CheckInRegistry(const Registry& registry, const std::string& of, const RegisteredKey& key);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_NETWORK_IDENTITY_H_
