// How sync sees the peers. Without protobuf, which the build for the thread sanitizer leaves out.
#ifndef LEAN_BEACON_NETWORK_PEERS_PEER_VIEW_H_
#define LEAN_BEACON_NETWORK_PEERS_PEER_VIEW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

// A connected peer and its latest claims, which may be false.
struct PeerInfo {
  uint64_t id = 0;        // as in Origin::Peer; never reused in this process
  std::string name;       // of its program, for people
  std::string address;    // multiaddr, for people
  bool outbound = false;  // dialled by the engine
  Checkpoint head;
  Checkpoint finalized;
  uint64_t earliest_slot = 0;  // it has no older blocks; peers do not tell, sync finds out
  bool serves_range = true;    // it answers BlocksByRange
  double score = 0;            // 0 is best; the peer is disconnected at PeerScores::kEndAt
  uint64_t requests_open = 0;  // our requests that it has not answered
};

// What no honest peer does.
enum class Offence {
  kMalformed,     // bytes that are no block or vote
  kInvalidItem,   // a block or vote with a wrong signature, proposer or transition
  kBadAnswer,     // blocks that were not requested, in a wrong order, or not a chain
  kUnresponsive,  // no answer in time
  kLied,          // it does not have what its status says
};

inline constexpr std::array kOffences = {Offence::kMalformed, Offence::kInvalidItem, Offence::kBadAnswer,
                                         Offence::kUnresponsive, Offence::kLied};

// Limits of one request. A larger one fails with InvalidArgument.
inline constexpr size_t kMaxRootsAsked = 64;
inline constexpr uint64_t kMaxSlotsAsked = 1024;

// Peers as a source of blocks. Thread-safe.
class PeerBlocks {
 public:
  // Called exactly once, on a network thread or before the request returns; must not block. The answer holds requested
  // blocks only, those of slots in ascending order. It may hold fewer than requested, since an answer's bytes are
  // bounded; it is empty when the peer has none. Signatures and the chain's rules are not checked. Errors:
  //   NotFound           the peer has disconnected
  //   InvalidArgument    the request exceeds the limits above
  //   ResourceExhausted  too many requests are open, or the peer is overloaded; try later
  //   DeadlineExceeded   no answer in time; the network has blamed the peer
  //   DataLoss           a malformed answer; the network has blamed the peer
  //   Unavailable        the connection broke
  //   Cancelled          the network is stopping
  using Done = std::function<void(absl::StatusOr<std::vector<SignedBlockPtr>>)>;

  virtual ~PeerBlocks() = default;

  virtual std::vector<PeerInfo> Peers() const = 0;

  virtual void BlocksByRoot(uint64_t peer, std::vector<Root> roots, Done done) = 0;
  // Blocks of the peer's canonical chain with first_slot <= slot < first_slot + count.
  virtual void BlocksByRange(uint64_t peer, uint64_t first_slot, uint64_t count, Done done) = 0;

  // Lowers the peer's score, and disconnects and bans the peer when the score is too low. `why` is logged. Does nothing
  // when the peer has disconnected.
  virtual void Report(uint64_t peer, Offence offence, std::string why) = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEER_VIEW_H_
