#include "beacon/chain/state_transition.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_error.h"
#include "beacon/chain/vote_processor.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

void Pass(const TransitionWatch& watch, TransitionStep step) {
  if (watch != nullptr) watch(step);
}

}  // namespace

absl::StatusOr<State> ProcessSlots(const State& state, uint64_t slot) {
  if (slot <= state.slot) {
    return InvalidError(absl::StrCat("block's slot ", slot, " is not above ", state.slot, ", its parent state's"));
  }
  // The reference steps slot by slot, but only the first step after a block does more than increment the slot.
  State result = state;
  if (result.latest_block_header.state_root.IsZero()) {
    result.latest_block_header.state_root = ssz::HashTreeRoot(state);
  }
  result.slot = slot;
  return result;
}

absl::StatusOr<State> ProcessBlockHeader(const State& state, const Block& block, const Root& body_root) {
  const BlockHeader& parent = state.latest_block_header;
  if (block.slot != state.slot) return InvalidError("block's slot is not the state's");
  if (block.slot <= parent.slot) return InvalidError("block is not newer than its parent");
  if (state.validators.empty() || block.proposer_index != ProposerOf(block.slot, state.validators.size())) {
    return InvalidError(absl::StrCat("validator ", block.proposer_index, " is not the proposer of slot ", block.slot));
  }
  const Root parent_root = ssz::HashTreeRoot(parent);
  if (block.parent_root != parent_root) return InvalidError("block's parent root is not that of the state's block");

  State result = state;
  // The first block after genesis sets genesis as justified and finalized, since its root is known only now.
  const bool parent_is_genesis = parent.slot == 0;
  if (parent_is_genesis) {
    result.latest_justified.root = parent_root;
    result.latest_finalized.root = parent_root;
  }
  const uint64_t empty_slots = block.slot - parent.slot - 1;
  if (!result.historical_block_hashes.push_back(parent_root) ||
      !result.historical_block_hashes.AppendZeros(empty_slots) ||
      !result.justified_slots.push_back(parent_is_genesis) || !result.justified_slots.AppendZeros(empty_slots)) {
    return InvalidError(
        absl::StrCat("slot ", block.slot, " is beyond the ", kHistoricalRootsLimit, " slots that a chain can have"));
  }
  result.latest_block_header = HeaderOf(block, body_root);
  result.latest_block_header.state_root = Root();  // filled in by the next ProcessSlots
  return result;
}

absl::StatusOr<State> ProcessSlotsAndBlock(const State& state, const Block& block, const Root& body_root,
                                           const TransitionWatch& watch) {
  Pass(watch, TransitionStep::kStart);
  ASSIGN_OR_RETURN(State advanced, ProcessSlots(state, block.slot));
  Pass(watch, TransitionStep::kSlots);
  ASSIGN_OR_RETURN(State entered, ProcessBlockHeader(advanced, block, body_root));
  Pass(watch, TransitionStep::kHeader);
  ASSIGN_OR_RETURN(VoteProcessor votes, VoteProcessor::Create(std::move(entered)));
  for (const Attestation& vote : block.body.attestations) {
    RETURN_IF_ERROR(votes.Apply(vote));
  }
  ASSIGN_OR_RETURN(State post_state, std::move(votes).Finish());
  Pass(watch, TransitionStep::kVotes);
  return post_state;
}

absl::StatusOr<State> StateTransition(const State& state, const Block& block, const Root& body_root,
                                      const TransitionWatch& watch) {
  ASSIGN_OR_RETURN(State post_state, ProcessSlotsAndBlock(state, block, body_root, watch));
  if (block.state_root != ssz::HashTreeRoot(post_state)) {
    return InvalidError("block's state root is not that of the state it leads to");
  }
  Pass(watch, TransitionStep::kStateRoot);
  return post_state;
}

uint64_t IntegerSqrt(uint64_t value) {
  // One result bit a step, from the highest: no multiplication that could overflow, no floating point.
  uint64_t remainder = value;
  uint64_t result = 0;
  for (uint64_t bit = uint64_t{1} << 62; bit != 0; bit >>= 2) {
    if (remainder >= result + bit) {
      remainder -= result + bit;
      result = (result >> 1) + bit;
    } else {
      result >>= 1;
    }
  }
  return result;
}

bool IsJustifiableAfter(uint64_t slot, uint64_t finalized_slot) {
  const uint64_t distance = slot - finalized_slot;
  if (distance <= 5) return true;
  // root <= 2^32 - 1, so neither product overflows. The reference tests 4 * distance + 1 for an odd square, which holds
  // exactly for n * (n + 1); n can only be the integer root.
  const uint64_t root = IntegerSqrt(distance);
  return root * root == distance || root * (root + 1) == distance;
}

}  // namespace lean::beacon
