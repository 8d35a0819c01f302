// What the chain hands to the network.
#ifndef LEAN_BEACON_SERVICES_OUTBOUND_H_
#define LEAN_BEACON_SERVICES_OUTBOUND_H_

#include <cstddef>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "beacon/services/submit.h"
#include "common/concurrency/bounded_channel.h"

namespace lean::beacon {

// Accepted by the chain just now: own items to publish, peers' items to forward to the others.
struct OutboundItem {
  SignedBlockPtr block;              // null when it is votes
  std::vector<SignedVotePtr> votes;  // empty when it is a block
  Origin origin;
};

using OutboundChannel = BoundedChannel<OutboundItem>;

// The channel's capacity for a registry: the votes of two slots, should each come alone, and some blocks.
constexpr size_t OutboundItems(size_t validators) { return 1024 + 2 * validators; }

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_OUTBOUND_H_
