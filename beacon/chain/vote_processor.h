// The part of the state transition that counts the votes of a body, one at a time, so that a block builder can see the
// effect of each vote. Source: leanSpec 050fa4a, State.process_attestations.
#ifndef LEAN_BEACON_CHAIN_VOTE_PROCESSOR_H_
#define LEAN_BEACON_CHAIN_VOTE_PROCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/containers/containers.h"
#include "common/ssz/bits.h"

namespace lean::beacon {

class VoteProcessor {
 public:
  // Starts from a state into which the block's header has been entered. kInvalid: the state's lists of votes being
  // collected do not fit its number of validators.
  static absl::StatusOr<VoteProcessor> Create(State state);

  // Counts a vote. Most bad votes are skipped without an error. kInvalid: the vote invalidates its block, and nothing
  // has changed.
  absl::Status Apply(const Attestation& vote);

  const Checkpoint& latest_justified() const { return state_.latest_justified; }
  const Checkpoint& latest_finalized() const { return state_.latest_finalized; }

  // The state after all votes so far. Called once, at the end.
  absl::StatusOr<State> Finish() &&;

 private:
  // Votes for one root. Taken out of the state when the first vote for it comes.
  struct Tally {
    std::optional<size_t> stored_at;  // place among the state's roots
    std::optional<ssz::Bits> votes;   // by validator
    size_t count = 0;                 // of votes, once taken out
  };

  explicit VoteProcessor(State state);

  // True when a slot that could be justified lies strictly between the two; kInvalid where the reference raises.
  absl::StatusOr<bool> JustifiableBetween(uint64_t source_slot, uint64_t target_slot) const;

  State state_;
  // Justifiability goes by the slot finalized when the block began, whatever its votes finalize.
  uint64_t finalized_at_start_;
  std::map<Root, Tally> tallies_;
  bool changed_ = false;  // tallies_ differ from the state's lists
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_VOTE_PROCESSOR_H_
