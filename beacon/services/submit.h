// Where a block or vote came from, and what became of it.
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

// What is bounded is bounded per origin, so that one of them cannot push out the others.
struct Origin {
  enum Kind : uint8_t {
    kLocal,  // a validator client of ours, by RPC
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

// Reasons as they stand in SubmitResult.reason (proto/lean/v1/validator.proto).
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
// Neither: the service did not take the item.
inline constexpr absl::string_view kOverloaded = "OVERLOADED";
inline constexpr absl::string_view kStorageFailed = "STORAGE_FAILED";
inline constexpr absl::string_view kShuttingDown = "SHUTTING_DOWN";
// Of duties, which nothing is built for.
inline constexpr absl::string_view kClockWrong = "CLOCK_WRONG";
}  // namespace reason

// Whether a refusal for this reason is the fault of who sent the item: an honest beacon, which has checked it, does not
// send it. What it cannot know of us (our clock, our queues, the blocks that we have) is not among them.
inline bool IsOffence(absl::string_view why) {
  constexpr std::array kReasons = {
      reason::kMalformed,    reason::kUnknownValidator,  reason::kWrongProposer, reason::kProposerVoteMismatch,
      reason::kBadSignature, reason::kInvalidTransition, reason::kInvalidVote};
  return std::find(kReasons.begin(), kReasons.end(), why) != kReasons.end();
}

// A block that something waits for, in case a peer has it.
struct WantedRoot {
  Root root;
  Origin origin;             // of the item that names it: the first to ask
  Root wanted_by;            // that item
  int64_t expires_slot = 0;  // the item is dropped when this slot begins
};

// A block's post-state that the chain has let go of and needs again.
struct WantedState {
  Root root;             // of the block
  Origin origin;         // of the block that builds on it
  bool is_head = false;  // the chain's own head needs it: more urgent than any block
};

struct SubmitOutcome {
  enum Status {
    kAccepted,       // in the chain
    kAlreadyKnown,   // was there before
    kQueued,         // waits for a block it names, or for its slot; what becomes of it is logged
    kRefused,        // see reason
    kOverloaded,     // nothing was looked at: try again
    kStorageFailed,  // nothing was looked at: the disk takes no more (see message); goes on once it does
    kShuttingDown,   // the service is stopping
  };
  Status status = kRefused;
  std::string reason;   // one of the above; empty when accepted or already known
  std::string message;  // for people; empty when accepted
  Root root;            // of the block; of a vote, hash_tree_root(Attestation). Zero when it was never computed.
  // Of a vote: its signature was computed for it and is right; false when it was known before.
  bool new_signature = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_SUBMIT_H_
