// A finalized block and its state in pages, for beacons that start from them (proto/lean/v1/beacon.proto).
#ifndef LEAN_BEACON_RPC_CHECKPOINT_PAGES_H_
#define LEAN_BEACON_RPC_CHECKPOINT_PAGES_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "beacon/rpc/served_chain.h"
#include "common/concurrency/mutex.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// Thread-safe. Keeps the bytes that were asked for last, since their next page is likely to be asked for next.
class CheckpointPages {
 public:
  static constexpr size_t kPageBytes = size_t{4} << 20;

  // `chain` outlives it.
  explicit CheckpointPages(const ServedChain& chain) : chain_(chain) {}

  // CHECKPOINT_NOT_FOUND, MALFORMED_REQUEST.
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

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_CHECKPOINT_PAGES_H_
