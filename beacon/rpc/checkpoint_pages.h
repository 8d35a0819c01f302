// Finalized blocks and states as SSZ, for beacons that start from them.
#ifndef LEAN_BEACON_RPC_CHECKPOINT_PAGES_H_
#define LEAN_BEACON_RPC_CHECKPOINT_PAGES_H_

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "beacon/rpc/served_chain.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// Caches the bytes of each part that were requested last, which are likely to be requested next. Thread-safe.
class CheckpointPages {
 public:
  static constexpr size_t kPageBytes = size_t{4} << 20;
  using Part = v1::GetCheckpointRequest::Part;

  // `chain` outlives the pages.
  explicit CheckpointPages(const ServedChain& chain) : chain_(chain) {}

  // Errors: CHECKPOINT_NOT_FOUND, MALFORMED_REQUEST.
  absl::StatusOr<v1::GetCheckpointResponse> Get(const v1::GetCheckpointRequest& request) const;

  // The whole part of the latest finalized block. Genesis has no signatures: its block comes with a vote of zeros and
  // an empty list of signatures. CHECKPOINT_NOT_FOUND: the part is not held.
  absl::StatusOr<std::shared_ptr<const std::string>> GetFinalized(Part part) const;

 private:
  struct Bytes {
    Checkpoint block;
    std::string ssz;
  };
  using BytesPtr = std::shared_ptr<const Bytes>;

  // Of a finalized block.
  absl::StatusOr<BytesPtr> PartOf(const Checkpoint& block, Part part) const;
  absl::StatusOr<std::string> Make(const Checkpoint& block, Part part) const;

  const ServedChain& chain_;
  mutable Mutex mutex_;
  mutable std::array<BytesPtr, 2> last_ ABSL_GUARDED_BY(mutex_);  // block and state
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_CHECKPOINT_PAGES_H_
