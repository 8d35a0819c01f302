// The handlers of BeaconService (proto/lean/v1/beacon.proto), without gRPC.
#ifndef LEAN_BEACON_RPC_BEACON_QUERIES_H_
#define LEAN_BEACON_RPC_BEACON_QUERIES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/rpc/checkpoint_pages.h"
#include "beacon/rpc/served_chain.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// What GetNodeInfo returns besides the build.
struct NodeInfo {
  std::string name;
  std::string rpc_address;  // HOST:PORT
  bool tls = false;
  bool insecure = false;  // everybody who reaches the address is served
};

// Thread-safe. Each call takes the chain's read lock once, to copy handles.
class BeaconQueries {
 public:
  // `chain` outlives the queries.
  explicit BeaconQueries(const ServedChain& chain);

  absl::StatusOr<v1::GetHeadResponse> GetHead(const v1::GetHeadRequest& request) const;
  absl::StatusOr<v1::GetChainStatusResponse> GetChainStatus(const v1::GetChainStatusRequest& request) const;
  absl::StatusOr<v1::GetBlockResponse> GetBlock(const v1::GetBlockRequest& request) const;
  absl::StatusOr<v1::GetStateResponse> GetState(const v1::GetStateRequest& request) const;
  absl::StatusOr<v1::GetValidatorsResponse> GetValidators(const v1::GetValidatorsRequest& request) const;
  absl::StatusOr<v1::GetForkChoiceResponse> GetForkChoice(const v1::GetForkChoiceRequest& request) const;
  absl::StatusOr<v1::GetLatestVotesResponse> GetLatestVotes(const v1::GetLatestVotesRequest& request) const;
  absl::StatusOr<v1::GetParticipationResponse> GetParticipation(const v1::GetParticipationRequest& request) const;
  absl::StatusOr<v1::GetSpecResponse> GetSpec(const v1::GetSpecRequest& request) const;
  absl::StatusOr<v1::GetGenesisResponse> GetGenesis(const v1::GetGenesisRequest& request) const;
  absl::StatusOr<v1::GetNodeInfoResponse> GetNodeInfo(const NodeInfo& node) const;
  absl::StatusOr<v1::GetPeersResponse> GetPeers(const v1::GetPeersRequest& request) const;
  absl::StatusOr<v1::GetCheckpointResponse> GetCheckpoint(const v1::GetCheckpointRequest& request) const {
    return checkpoints_.Get(request);
  }
  // As CheckpointPages::GetFinalized.
  absl::StatusOr<std::shared_ptr<const std::string>> GetFinalized(CheckpointPages::Part part) const {
    return checkpoints_.GetFinalized(part);
  }

 private:
  const ServedChain& chain_;
  const SteadyTime started_;
  const CheckpointPages checkpoints_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_BEACON_QUERIES_H_
