// What happens to the chain, for whoever keeps it: the seam between the writer and a database.
#ifndef LEAN_BEACON_SERVICES_CHAIN_OBSERVER_H_
#define LEAN_BEACON_SERVICES_CHAIN_OBSERVER_H_

#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/vote_map.h"
#include "common/bytes/bytes.h"
#include "common/containers/checkpoint.h"

namespace lean::beacon {

struct ChainCheckpoints {
  Checkpoint head;
  Checkpoint justified;
  Checkpoint finalized;
};

// Told by the writer, on its thread and outside the chain's lock, in the order in which things happen. Calls must not
// wait for anything: an observer that cannot keep up says so in CanAccept, and takes what comes nevertheless (what is
// in flight is bounded).
class ChainObserver {
 public:
  virtual ~ChainObserver() = default;

  // Imported just now, live or as history; pointers are not null. `known_votes` are the chain's, this block's included;
  // they may be looked at during the call.
  virtual void BlockImported(const Root& root, const SignedBlockPtr& block, const StatePtr& post_state,
                             const VoteMap& known_votes) = 0;
  // From gossip or a validator client, not from a block.
  virtual void VoteAccepted(const SignedVotePtr& vote) = 0;
  // One of them is another one now.
  virtual void CheckpointsChanged(const ChainCheckpoints& checkpoints) = 0;

  // Whether more may be submitted; asked for every item, from any thread, and answered at once. Not OK: what is
  // submitted is refused. kUnavailable: nothing can be kept any more, and the message says why (kStorageFailed).
  // kResourceExhausted: too much waits to be kept (kOverloaded).
  virtual absl::Status CanAccept() const = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHAIN_OBSERVER_H_
