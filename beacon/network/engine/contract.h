// The messages of network_engine.proto, checked as they come in: sizes of roots, lengths of lists, what must be there.
// Errors are InvalidArgument and name the field; an engine that sends such a message does not keep to the contract.
// Texts for people are cut and cleaned instead.
#ifndef LEAN_BEACON_NETWORK_ENGINE_CONTRACT_H_
#define LEAN_BEACON_NETWORK_ENGINE_CONTRACT_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "beacon/network/requests/asked_blocks.h"
#include "common/containers/checkpoint.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

inline constexpr uint32_t kContractVersion = 1;
inline constexpr size_t kMaxAskedByPeer = 1024;  // roots or slots of one request
inline constexpr size_t kMaxReasonBytes = 256;
// Of the blocks of an answer, unless it is a single one.
inline constexpr size_t kMaxAnswerBytes = size_t{32} << 20;

// How far a chain is, as its node says.
struct ClaimedChain {
  Checkpoint finalized;
  Checkpoint head;

  friend bool operator==(const ClaimedChain&, const ClaimedChain&) = default;
};

v1::ChainStatus ToProto(const ClaimedChain& chain);
v1::BlockRequest ToProto(uint64_t id, uint64_t peer, const AskedBlocks& asked);

absl::StatusOr<ClaimedChain> FromProto(const v1::ChainStatus& message);
absl::StatusOr<AskedBlocks> FromProto(const v1::BlockRequest& message);

// The same message, fit for logs and answers.
absl::StatusOr<v1::EngineHello> Checked(v1::EngineHello message);
absl::StatusOr<v1::PeerConnected> Checked(v1::PeerConnected message);
v1::TargetReport Checked(v1::TargetReport message);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_CONTRACT_H_
