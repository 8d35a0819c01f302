// The messages of network_engine.proto as the beacon works with them. What comes in is checked: sizes of roots, lengths
// of lists, what must be there. Errors are InvalidArgument and name the field; whoever sent such a message does not
// keep to the contract. Texts for people are cut and cleaned instead.
#ifndef LEAN_BEACON_NETWORK_ENGINE_ENGINE_CODEC_H_
#define LEAN_BEACON_NETWORK_ENGINE_ENGINE_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/network/asked_blocks.h"
#include "common/containers/checkpoint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

inline constexpr uint32_t kEngineContractVersion = 1;
inline constexpr size_t kMaxAskedByPeer = 1024;  // roots or slots of one request

// How far a chain is, as its node says.
struct ClaimedChain {
  Checkpoint finalized;
  Checkpoint head;

  friend bool operator==(const ClaimedChain&, const ClaimedChain&) = default;
};

struct EngineInfo {
  std::string agent;
  std::string peer_id;
  std::string enr;
  std::vector<std::string> addresses;
  std::string network;
};

// A peer as the engine names it.
struct NamedPeer {
  uint64_t handle = 0;  // of one stream to the engine
  std::string peer_id;
  std::string agent;
  std::string address;
  bool outbound = false;
  bool serves_range = false;
  ClaimedChain chain;
};

v1::ChainStatus ToProto(const ClaimedChain& chain);
v1::BeaconHello MakeBeaconHello(uint64_t validator_count, uint64_t slot_ms, const ClaimedChain& chain);
v1::BlockRequest ToProto(uint64_t id, uint64_t handle, const AskedBlocks& asked);

absl::StatusOr<ClaimedChain> FromProto(const v1::ChainStatus& message);
absl::StatusOr<EngineInfo> FromProto(const v1::EngineHello& message);
absl::StatusOr<NamedPeer> FromProto(const v1::PeerConnected& message);
absl::StatusOr<AskedBlocks> FromProto(const v1::BlockRequest& message);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_ENGINE_CODEC_H_
