// The state transition of leanSpec 050fa4a (containers/state/state.py), with all its oddities. Pure functions; the
// given state is not changed. Errors are kInvalid (chain_error.h).
#ifndef LEAN_BEACON_CHAIN_STATE_TRANSITION_H_
#define LEAN_BEACON_CHAIN_STATE_TRANSITION_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/containers/containers.h"

namespace lean::beacon {

// The validator whose turn a slot is: round-robin. validator_count > 0.
constexpr uint64_t ProposerOf(uint64_t slot, uint64_t validator_count) { return slot % validator_count; }

// Advances a state through empty slots to `slot`, which is above the state's.
absl::StatusOr<State> ProcessSlots(const State& state, uint64_t slot);

// Checks a block's header against a state advanced to its slot, and enters it. body_root: hash_tree_root(block.body),
// in all three.
absl::StatusOr<State> ProcessBlockHeader(const State& state, const Block& block, const Root& body_root);

// What is complete of a transition.
enum class TransitionStep { kStart, kSlots, kHeader, kVotes, kStateRoot };
inline constexpr size_t kTransitionSteps = 5;

// Called after each step, for callers that have a clock. May be null.
using TransitionWatch = std::function<void(TransitionStep)>;

// Slots, header and votes: the post-state without the check of the block's state root.
absl::StatusOr<State> ProcessSlotsAndBlock(const State& state, const Block& block, const Root& body_root,
                                           const TransitionWatch& watch = nullptr);

// The whole transition, the check of the state root included.
absl::StatusOr<State> StateTransition(const State& state, const Block& block, const Root& body_root,
                                      const TransitionWatch& watch = nullptr);

// Which slots may be justified. Source: leanSpec 050fa4a, Slot.is_justifiable_after (3SF-mini).

// floor(sqrt(value)), exact for every value.
uint64_t IntegerSqrt(uint64_t value);

// True when the distance from the finalized slot is at most 5, a square, or a product of two neighbours (n * (n + 1)).
// slot >= finalized_slot.
bool IsJustifiableAfter(uint64_t slot, uint64_t finalized_slot);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_STATE_TRANSITION_H_
