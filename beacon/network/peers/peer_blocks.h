// Peers as a source of blocks: what sync asks them through.
#ifndef LEAN_BEACON_NETWORK_PEERS_PEER_BLOCKS_H_
#define LEAN_BEACON_NETWORK_PEERS_PEER_BLOCKS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/containers/checkpoint.h"

namespace lean::beacon {

// A connected peer, as it last said of itself: none of it is to be believed.
struct PeerInfo {
  uint64_t id = 0;        // that of Origin::Peer; never used again in this process
  std::string name;       // its program, for people
  std::string address;    // multiaddr, for people
  bool outbound = false;  // dialled by the engine
  Checkpoint head;
  Checkpoint finalized;
  uint64_t earliest_slot = 0;  // it has no blocks below; peers do not say so, sync finds out
  bool serves_range = true;    // it answers BlocksByRange
  double score = 0;            // 0 is best; it has to go at PeerScores::kEndAt
  uint64_t requests_open = 0;  // asked of it and not yet answered
};

// What a peer did that an honest one does not do.
enum class Offence {
  kMalformed,     // not of the contract at all
  kInvalidItem,   // a block or vote that is wrong, whoever made it: signature, proposer, transition
  kBadAnswer,     // blocks that were not asked for, in a wrong order, or not a chain
  kUnresponsive,  // no answer in time
  kLied,          // it does not have what its status says
};

inline constexpr std::array kOffences = {Offence::kMalformed, Offence::kInvalidItem, Offence::kBadAnswer,
                                         Offence::kUnresponsive, Offence::kLied};

// Of one answer. A request beyond them is InvalidArgument.
inline constexpr size_t kMaxRootsAsked = 64;
inline constexpr uint64_t kMaxSlotsAsked = 1024;

// Thread-safe.
class PeerBlocks {
 public:
  // Called exactly once, from a network thread or before the call returns; must not block. An answer holds only blocks
  // that were asked for: of these roots, or of these slots, ascending; possibly fewer than asked, since an answer's
  // bytes are bounded. None of them: the peer has none. Neither signatures nor the chain's rules are checked. Errors:
  // NotFound: the peer is gone. InvalidArgument: see the limits above. ResourceExhausted: too much is being asked of
  // it, or it says so; later again. DeadlineExceeded: no answer in time. Unavailable: the connection broke meanwhile.
  // DataLoss: what came is not an answer. Cancelled: the network is stopping. With DeadlineExceeded and DataLoss the
  // network has reported the peer: who asked does not report it again.
  using Done = std::function<void(absl::StatusOr<std::vector<SignedBlockPtr>>)>;

  virtual ~PeerBlocks() = default;

  virtual std::vector<PeerInfo> Peers() const = 0;

  virtual void BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) = 0;
  // Of the peer's canonical chain: first_slot <= slot < first_slot + count.
  virtual void BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) = 0;

  // Lowers the peer's score; it is disconnected and banned when that falls too far. `why` is for the log. A peer that
  // is gone is no error.
  virtual void Report(uint64_t peer, Offence offence, std::string why) = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEER_BLOCKS_H_
