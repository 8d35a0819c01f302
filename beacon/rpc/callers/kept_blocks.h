// The blocks that were built for validator clients and wait for their proposer's signature.
#ifndef LEAN_BEACON_RPC_CALLERS_KEPT_BLOCKS_H_
#define LEAN_BEACON_RPC_CALLERS_KEPT_BLOCKS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/chain/builders.h"
#include "beacon/chain/chain_types.h"
#include "beacon/rpc/callers/caller_book.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "common/containers/attestation.h"
#include "common/metrics/footprint.h"
#include "common/rpc/server/unary_call.h"

namespace lean::beacon {

// A client that builds and submits a block at one beacon sends its signature only, instead of 13 MB twice
// (proto/lean/v1/validator.proto, KeptBlock). Thread-safe.
class KeptBlocks {
 public:
  // In all, 13 MB each at most. One for each caller.
  static constexpr size_t kMost = 4;

  explicit KeptBlocks(std::shared_ptr<CallerBook> callers) : callers_(std::move(callers)) {}

  // Keeps a block in place of the caller's previous one and of those of earlier slots. A further block displaces that
  // of the worst caller, and of equally good ones the oldest. False: all others are of better callers.
  bool Keep(const rpc::Caller& caller, std::shared_ptr<BuiltBlock> built);

  // What the proposer of a kept block signs; nullopt: the block is not kept.
  std::optional<Attestation> ProposersVote(const Root& root) const;

  // Turns a kept block into a signed one without copying it. `signature` is right. Returns that block again until it is
  // forgotten. Null: the block is not kept.
  SignedBlockPtr Sign(const Root& root, const SignatureBytes& signature);
  // The chain has checked this block: its memory is freed once the chain does not need it.
  void Forget(const Root& root);

  metrics::Footprint footprint() const;

 private:
  struct Entry {
    std::string caller;  // its identity
    rpc::Rank rank;
    uint64_t slot = 0;
    Root root;
    Attestation proposers_vote;
    std::shared_ptr<BuiltBlock> built;  // null once it is signed
    SignedBlockPtr signed_block;        // null before, and once it is forgotten
  };

  const std::shared_ptr<CallerBook> callers_;
  mutable Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // oldest first
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_CALLERS_KEPT_BLOCKS_H_
