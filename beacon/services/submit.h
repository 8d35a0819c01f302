// Where a block or vote comes from, and the outcome of submitting it.
#ifndef LEAN_BEACON_SERVICES_SUBMIT_H_
#define LEAN_BEACON_SERVICES_SUBMIT_H_

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

// Who submitted an item. Bounds apply to each origin, so that no origin can displace the others.
struct Origin {
  enum Kind : uint8_t {
    kLocal,  // one of our validator clients, by RPC
    kPeer,
  };
  Kind kind = kLocal;
  uint64_t peer = 0;  // which peer; 0 for kLocal

  static Origin Local() { return {}; }
  static Origin Peer(uint64_t peer) { return {kPeer, peer}; }

  friend auto operator<=>(const Origin&, const Origin&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Origin& origin) {
    return H::combine(std::move(state), origin.kind, origin.peer);
  }
};

// The values of SubmitResult.reason (proto/lean/v1/validator.proto).
namespace reason {
// Refused.
inline constexpr absl::string_view kMalformed = "MALFORMED";
inline constexpr absl::string_view kUnknownValidator = "UNKNOWN_VALIDATOR";
inline constexpr absl::string_view kWrongProposer = "WRONG_PROPOSER";
inline constexpr absl::string_view kProposerVoteMismatch = "PROPOSER_VOTE_MISMATCH";
inline constexpr absl::string_view kBadSignature = "BAD_SIGNATURE";
inline constexpr absl::string_view kEquivocation = "EQUIVOCATION";
inline constexpr absl::string_view kFutureSlot = "FUTURE_SLOT";
inline constexpr absl::string_view kStale = "STALE";
inline constexpr absl::string_view kInvalidTransition = "INVALID_TRANSITION";
inline constexpr absl::string_view kInvalidVote = "INVALID_VOTE";
inline constexpr absl::string_view kQueueFull = "QUEUE_FULL";
inline constexpr absl::string_view kTooLarge = "TOO_LARGE";
// Queued.
inline constexpr absl::string_view kUnknownParent = "UNKNOWN_PARENT";
inline constexpr absl::string_view kUnknownBlock = "UNKNOWN_BLOCK";
inline constexpr absl::string_view kEarly = "EARLY";
inline constexpr absl::string_view kNeedsState = "NEEDS_STATE";
// Not checked: the service did not take the item.
inline constexpr absl::string_view kOverloaded = "OVERLOADED";
inline constexpr absl::string_view kStorageFailed = "STORAGE_FAILED";
inline constexpr absl::string_view kShuttingDown = "SHUTTING_DOWN";
// Of duties that are refused.
inline constexpr absl::string_view kClockWrong = "CLOCK_WRONG";
}  // namespace reason

// Whether a refusal for this reason is the sender's fault: an honest beacon checks for it before it sends an item.
// Reasons that depend on our own state (clock, queues, known blocks) are not the sender's fault.
inline bool IsOffence(absl::string_view why) {
  constexpr std::array kReasons = {
      reason::kMalformed,    reason::kUnknownValidator,  reason::kWrongProposer, reason::kProposerVoteMismatch,
      reason::kBadSignature, reason::kInvalidTransition, reason::kInvalidVote};
  return std::find(kReasons.begin(), kReasons.end(), why) != kReasons.end();
}

// A missing block that an item waits for.
struct WantedRoot {
  Root root;
  Origin origin;             // of the item that names it: the first peer to ask
  Root wanted_by;            // the item that waits
  int64_t expires_slot = 0;  // the item is dropped when this slot begins
};

// A post-state that the chain has dropped from memory and needs again.
struct WantedState {
  Root root;             // of the block
  Origin origin;         // of the block that builds on it
  bool is_head = false;  // the chain's head needs it, which comes before any block
};

struct SubmitOutcome {
  enum Status {
    kAccepted,       // in the chain
    kAlreadyKnown,   // was in the chain before
    kQueued,         // waits for a block that it names, or for its slot; its final outcome is logged
    kRefused,        // see reason
    kOverloaded,     // not checked: try again
    kStorageFailed,  // not checked: the disk takes no writes (see message)
    kShuttingDown,   // the service is stopping
  };
  Status status = kRefused;
  std::string reason;   // one of the above; empty when accepted or already known
  std::string message;  // for people; empty when accepted
  Root root;            // of the block; of a vote, hash_tree_root(Attestation). Zero when it was never computed.
  // Of a vote: its signature was verified for this submission; false when it was known to be right.
  bool new_signature = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_SUBMIT_H_
