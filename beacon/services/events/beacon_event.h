// What a beacon tells those who watch it: the kinds of events and their contents.
#ifndef LEAN_BEACON_SERVICES_EVENTS_BEACON_EVENT_H_
#define LEAN_BEACON_SERVICES_EVENTS_BEACON_EVENT_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "beacon/services/events/vote_groups.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

// In the order of the alternatives of BeaconEvent.
enum class EventKind {
  kHead,
  kBlock,
  kVote,
  kJustified,
  kFinalized,
  kReorg,
  kPeer,
  kSync,
  kGossipBlock,
  kSafeTarget,
  kBlockVotes
};
inline constexpr size_t kEventKinds = 11;
using EventKinds = std::bitset<kEventKinds>;  // by EventKind

// A block and the root of its post-state. The latter is zero when the block is no longer in memory.
struct EventBlock {
  Checkpoint id;
  Root state_root;
};

struct HeadMoved {
  EventBlock head;
};

// A block was imported, live or as history.
struct BlockImported {
  Checkpoint id;
  Root parent_root;
  Root state_root;
  uint64_t proposer_index = 0;
  uint64_t votes = 0;  // in its body
};

// Votes from gossip or from validator clients were accepted together. Each of them is an event of its own.
struct VotesAccepted {
  std::vector<Attestation> votes;  // not empty
};

struct JustifiedMoved {
  EventBlock justified;
};

struct FinalizedMoved {
  EventBlock finalized;
};

// The new head does not descend from the old one.
struct Reorganized {
  EventBlock old_head;
  EventBlock new_head;
  uint64_t depth = 0;  // blocks of the old chain that are not on the new one
};

struct PeerChanged {
  bool connected = false;  // false: it has disconnected
  uint64_t id = 0;         // as in Origin::peer
  std::string peer_id;     // as libp2p writes it
  std::string agent;       // the name that its program claims
  std::string address;     // multiaddr
  bool outbound = false;   // dialled by the network engine
  std::string reason;      // why it has disconnected, for people
};

// The status of the sync has changed, see SyncStatus.
struct SyncChanged {
  bool synced = false;
  uint64_t lag_slots = 0;
  uint64_t target_slot = 0;
  std::string message;
};

// A peer's block has right signatures and is about to be imported.
struct GossipBlockSeen {
  Checkpoint id;
  uint64_t peer = 0;  // as in Origin::peer
};

struct SafeTargetMoved {
  EventBlock safe_target;
};

// The votes in the body of a block that was imported.
struct BlockVotesTold {
  Checkpoint block;
  std::vector<VoteGroup> votes;  // not empty
};

using BeaconEvent = std::variant<HeadMoved, BlockImported, VotesAccepted, JustifiedMoved, FinalizedMoved, Reorganized,
                                 PeerChanged, SyncChanged, GossipBlockSeen, SafeTargetMoved, BlockVotesTold>;
static_assert(std::variant_size_v<BeaconEvent> == kEventKinds);

inline EventKind KindOf(const BeaconEvent& event) { return static_cast<EventKind>(event.index()); }

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_EVENTS_BEACON_EVENT_H_
