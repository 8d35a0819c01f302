// What the chain tells others: the interface to a database, and the channel to the network.
#ifndef LEAN_BEACON_SERVICES_CHAIN_OBSERVER_H_
#define LEAN_BEACON_SERVICES_CHAIN_OBSERVER_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/vote_map.h"
#include "beacon/services/submit.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/bounded_channel.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

struct ChainCheckpoints {
  Checkpoint head;
  Checkpoint justified;
  Checkpoint finalized;
};

// Called by the writer, on its thread and without the chain's lock, in the order of events. Calls must not block. An
// observer that cannot keep up says so in CanAccept, and still takes what is in flight, which is bounded.
class ChainObserver {
 public:
  virtual ~ChainObserver() = default;

  // A block was imported, live or as history. Pointers are not null. `known_votes` are the chain's, with this block's;
  // the reference is valid during the call.
  virtual void BlockImported(const Root& root, const SignedBlockPtr& block, const StatePtr& post_state,
                             const VoteMap& known_votes) = 0;
  // A vote from gossip or from a validator client was accepted. Votes in blocks are not reported.
  virtual void VoteAccepted(const SignedVotePtr& vote) = 0;
  // At least one of the checkpoints has changed.
  virtual void CheckpointsChanged(const ChainCheckpoints& checkpoints) = 0;

  // Whether more items may be submitted. Called for every item, from any thread; must not block. An error refuses the
  // item: kUnavailable when nothing can be stored, with the reason as its message (kStorageFailed), and
  // kResourceExhausted when too much waits to be stored (kOverloaded).
  virtual absl::Status CanAccept() const = 0;
};

// An item that the chain has accepted: one of our own to publish, or a peer's to forward.
struct OutboundItem {
  SignedBlockPtr block;              // null when it is votes
  std::vector<SignedVotePtr> votes;  // empty when it is a block
  Origin origin;
};

using OutboundChannel = BoundedChannel<OutboundItem>;

// The channel's capacity for a registry: the votes of two slots, each in an item of its own, and some blocks.
constexpr size_t OutboundItems(size_t validators) { return 1024 + 2 * validators; }

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHAIN_OBSERVER_H_
