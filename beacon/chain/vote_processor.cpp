#include "beacon/chain/vote_processor.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_error.h"
#include "beacon/chain/state_transition.h"

namespace lean::beacon {

VoteProcessor::VoteProcessor(State state)
    : state_(std::move(state)), finalized_at_start_(state_.latest_finalized.slot) {}

absl::StatusOr<VoteProcessor> VoteProcessor::Create(State state) {
  if (state.justifications_validators.size() != state.justifications_roots.size() * state.validators.size()) {
    return InvalidError(absl::StrCat("state has ", state.justifications_validators.size(), " justification votes for ",
                                     state.justifications_roots.size(), " roots of ", state.validators.size(),
                                     " validators"));
  }
  VoteProcessor processor(std::move(state));
  const std::vector<Root> roots = processor.state_.justifications_roots.ToVector();
  for (size_t i = 0; i < roots.size(); ++i) {
    processor.tallies_[roots[i]].stored_at = i;
    // Only an anchor can have them in another order. They are sorted then, as in the reference.
    if (i > 0 && !(roots[i - 1] < roots[i])) processor.changed_ = true;
  }
  return processor;
}

absl::Status VoteProcessor::Apply(const Attestation& vote) {
  const Checkpoint& source = vote.data.source;
  const Checkpoint& target = vote.data.target;
  const JustifiedSlots& justified = state_.justified_slots;
  const HistoricalBlockHashes& history = state_.historical_block_hashes;

  // The reference indexes its lists in this order, and an index past their end fails the block.
  if (source.slot >= justified.size()) {
    return InvalidError(absl::StrCat("vote's source slot ", source.slot, " is not below the block's"));
  }
  if (!justified[source.slot]) return absl::OkStatus();
  if (target.slot >= justified.size()) {
    return InvalidError(absl::StrCat("vote's target slot ", target.slot, " is not below the block's"));
  }
  if (justified[target.slot]) return absl::OkStatus();
  if (source.slot >= history.size()) return InvalidError("state's history ends below a vote's source");
  if (source.root != history[source.slot]) return absl::OkStatus();
  if (target.slot >= history.size()) return InvalidError("state's history ends below a vote's target");
  if (target.root != history[target.slot]) return absl::OkStatus();
  if (target.slot <= source.slot) return absl::OkStatus();
  if (target.slot < finalized_at_start_) {
    return InvalidError(
        absl::StrCat("vote's target slot ", target.slot, " is below the finalized ", finalized_at_start_));
  }
  if (!IsJustifiableAfter(target.slot, finalized_at_start_)) return absl::OkStatus();
  const size_t validator_count = state_.validators.size();
  if (vote.validator_id >= validator_count) {
    return InvalidError(absl::StrCat("vote of validator ", vote.validator_id, " of ", validator_count));
  }

  const auto it = tallies_.find(target.root);
  const bool is_new = it == tallies_.end();
  Tally& tally = is_new ? tallies_[target.root] : it->second;
  if (!tally.votes.has_value()) {
    tally.votes = tally.stored_at.has_value()
                      ? state_.justifications_validators.ToBits(*tally.stored_at * validator_count, validator_count)
                      : ssz::Bits(validator_count);
    tally.count = tally.votes->CountOnes();
  }
  const bool counted_before = (*tally.votes)[vote.validator_id];
  const size_t count = tally.count + (counted_before ? 0 : 1);
  const bool justifies = 3 * count >= 2 * validator_count;
  bool finalizes = false;
  if (justifies) {
    const absl::StatusOr<bool> between = JustifiableBetween(source.slot, target.slot);
    if (!between.ok()) {
      if (is_new) tallies_.erase(target.root);
      return between.status();
    }
    finalizes = !*between;
  }

  changed_ = true;
  if (!justifies) {
    tally.votes->Set(vote.validator_id, true);
    tally.count = count;
    return absl::OkStatus();
  }
  tallies_.erase(target.root);
  state_.latest_justified = target;
  state_.justified_slots.Set(target.slot, true);
  if (finalizes) state_.latest_finalized = source;
  return absl::OkStatus();
}

absl::StatusOr<bool> VoteProcessor::JustifiableBetween(uint64_t source_slot, uint64_t target_slot) const {
  if (source_slot + 1 < target_slot && source_slot + 1 < finalized_at_start_) {
    return InvalidError(absl::StrCat("vote's source slot ", source_slot, " is below the finalized ",
                                     finalized_at_start_, " and its target would be justified"));
  }
  for (uint64_t slot = source_slot + 1; slot < target_slot; ++slot) {
    if (IsJustifiableAfter(slot, finalized_at_start_)) return true;
  }
  return false;
}

absl::StatusOr<State> VoteProcessor::Finish() && {
  if (!changed_) return std::move(state_);
  const size_t validator_count = state_.validators.size();
  const ssz::Bits stored = state_.justifications_validators.ToBits();
  std::vector<Root> roots;
  roots.reserve(tallies_.size());
  ssz::Bits votes;
  for (const auto& [root, tally] : tallies_) {
    roots.push_back(root);
    if (tally.votes.has_value()) {
      votes.Append(*tally.votes);
    } else {
      votes.Append(stored, *tally.stored_at * validator_count, validator_count);
    }
  }
  if (!state_.justifications_roots.Assign(roots).ok() || !state_.justifications_validators.Assign(votes).ok()) {
    return InvalidError("the state's list of roots that are being voted on is full");
  }
  return std::move(state_);
}

}  // namespace lean::beacon
