// The handlers of BeaconService (proto/lean/v1/beacon.proto), without gRPC.
#ifndef LEAN_BEACON_RPC_BEACON_QUERIES_H_
#define LEAN_BEACON_RPC_BEACON_QUERIES_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "beacon/rpc/served_chain.h"
#include "common/concurrency/mutex.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// Caches the bytes that were requested last, whose next page is likely to be requested next. Thread-safe.
class CheckpointPages {
 public:
  static constexpr size_t kPageBytes = size_t{4} << 20;

  // `chain` outlives the pages.
  explicit CheckpointPages(const ServedChain& chain) : chain_(chain) {}

  // Errors: CHECKPOINT_NOT_FOUND, MALFORMED_REQUEST.
  absl::StatusOr<v1::GetCheckpointResponse> Get(const v1::GetCheckpointRequest& request) const;

 private:
  struct Bytes {
    Root root;
    uint64_t slot = 0;
    v1::GetCheckpointRequest::Part part = v1::GetCheckpointRequest::PART_UNSPECIFIED;
    std::string ssz;
  };
  using BytesPtr = std::shared_ptr<const Bytes>;

  absl::StatusOr<BytesPtr> Find(const v1::GetCheckpointRequest& request) const;
  absl::StatusOr<BytesPtr> Make(const Checkpoint& id, v1::GetCheckpointRequest::Part part) const;

  const ServedChain& chain_;
  mutable Mutex mutex_;
  mutable BytesPtr last_ ABSL_GUARDED_BY(mutex_);
};

// What GetNodeInfo returns besides the build.
struct NodeInfo {
  std::string name;
  std::string rpc_address;  // HOST:PORT
  bool tls = false;
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
  absl::StatusOr<v1::GetSpecResponse> GetSpec(const v1::GetSpecRequest& request) const;
  absl::StatusOr<v1::GetGenesisResponse> GetGenesis(const v1::GetGenesisRequest& request) const;
  absl::StatusOr<v1::GetNodeInfoResponse> GetNodeInfo(const NodeInfo& node) const;
  absl::StatusOr<v1::GetPeersResponse> GetPeers(const v1::GetPeersRequest& request) const;
  absl::StatusOr<v1::GetCheckpointResponse> GetCheckpoint(const v1::GetCheckpointRequest& request) const {
    return checkpoints_.Get(request);
  }

 private:
  const ServedChain& chain_;
  const SteadyTime started_;
  const CheckpointPages checkpoints_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_BEACON_QUERIES_H_
