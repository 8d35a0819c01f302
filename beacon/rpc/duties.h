// The handlers of DutyService except for submissions (proto/lean/v1/validator.proto), without gRPC.
#ifndef LEAN_BEACON_RPC_DUTIES_H_
#define LEAN_BEACON_RPC_DUTIES_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "beacon/rpc/callers/kept_blocks.h"
#include "beacon/rpc/served_chain.h"
#include "common/rpc/server/unary_call.h"
#include "lean/v1/validator.pb.h"

namespace lean::beacon {

// Builds on the caller's thread, without the chain's lock. Thread-safe.
class Duties {
 public:
  // Blocks that are built are kept in `kept`. Both outlive the duties.
  Duties(const ServedChain& chain, KeptBlocks& kept);

  absl::StatusOr<v1::GetDutiesResponse> GetDuties(const v1::GetDutiesRequest& request) const;
  absl::StatusOr<v1::BuildBlockResponse> BuildBlock(const rpc::Caller& caller,
                                                    const v1::BuildBlockRequest& request) const;
  absl::StatusOr<v1::BuildVoteResponse> BuildVote(const v1::BuildVoteRequest& request) const;
  absl::StatusOr<v1::GetLivenessResponse> GetLiveness(const v1::GetLivenessRequest& request) const;

 private:
  // A signed vote of each validator for `from_slot` or later, whose root is not `known`; null where there is none.
  std::vector<SeenVote> VotesToShow(const std::vector<uint64_t>& validators, uint64_t from_slot,
                                    const absl::flat_hash_set<Root>& known) const;
  // The checks of both builders, in the order of the proto's comment.
  absl::Status CheckBuildable(uint64_t slot, const std::string& genesis_block_root) const;
  absl::Status CheckSlot(uint64_t slot) const;
  // Whether duties are served at the moment. Errors: STORAGE_FAILED, CLOCK_WRONG, SYNCING.
  absl::Status CheckServes() const;
  absl::Status CheckSynced() const;

  const ServedChain& chain_;
  KeptBlocks& kept_;
  // By public key. The registry never changes in this protocol.
  absl::flat_hash_map<PublicKeyBytes, std::vector<uint64_t>> indices_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_DUTIES_H_
