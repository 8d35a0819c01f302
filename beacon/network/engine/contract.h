// The messages of network_engine.proto, and their conversion from and to the beacon's types. Whatever comes from the
// engine is checked here: the sizes of roots, the lengths of lists, and the presence of required fields. Errors are
// InvalidArgument and name the field; an engine that causes one violates the contract. Text for people is not refused
// but cut and cleaned.
#ifndef LEAN_BEACON_NETWORK_ENGINE_CONTRACT_H_
#define LEAN_BEACON_NETWORK_ENGINE_CONTRACT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "lean/v1/network_engine.pb.h"

namespace lean::beacon {

inline constexpr uint32_t kContractVersion = 1;
inline constexpr size_t kMaxAskedByPeer = 1024;  // roots or slots in one request
inline constexpr size_t kMaxReasonBytes = 256;
// Bytes of all blocks in one answer. A single block may be larger.
inline constexpr size_t kMaxAnswerBytes = size_t{32} << 20;

// The chain that a node claims to have.
struct ClaimedChain {
  Checkpoint finalized;
  Checkpoint head;

  friend bool operator==(const ClaimedChain&, const ClaimedChain&) = default;
};

v1::ChainStatus ToProto(const ClaimedChain& chain);
absl::StatusOr<ClaimedChain> FromProto(const v1::ChainStatus& message);

// The blocks that a request asks for: by root, or by slot (first_slot <= slot < first_slot + count).
struct AskedBlocks {
  std::vector<Root> roots;  // empty: by slot
  uint64_t first_slot = 0;
  uint64_t count = 0;

  bool by_root() const { return !roots.empty(); }
};

v1::BlockRequest ToProto(uint64_t id, uint64_t peer, const AskedBlocks& asked);
absl::StatusOr<AskedBlocks> FromProto(const v1::BlockRequest& message);

// InvalidArgument: `blocks` has more blocks than were asked for, a block that was not asked for, the same block twice,
// or slots that do not ascend.
absl::Status CheckAnswered(const AskedBlocks& asked, const std::vector<SignedBlockPtr>& blocks);

// The same message, checked, with clean text and without unknown fields: the beacon keeps it.
absl::StatusOr<v1::EngineHello> Checked(v1::EngineHello message);
absl::StatusOr<v1::PeerConnected> Checked(v1::PeerConnected message);
v1::EngineReport Checked(v1::EngineReport message);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_ENGINE_CONTRACT_H_
