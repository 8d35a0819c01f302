#include "beacon/chain/vote_builder.h"

#include <optional>

#include "absl/status/status.h"
#include "beacon/chain/justifiability.h"

namespace lean::beacon {
namespace {

// The block below the one at `slot` on the head's chain, as far down as that is known.
std::optional<Checkpoint> ParentOf(const VoteSnapshot& snapshot, uint64_t slot) {
  const HistoricalBlockHashes& history = snapshot.head_state->historical_block_hashes;
  while (slot > snapshot.oldest_slot && slot <= history.size()) {
    --slot;
    if (const Root& root = history[slot]; !root.IsZero()) return Checkpoint{.root = root, .slot = slot};
  }
  return std::nullopt;
}

absl::StatusOr<Checkpoint> WalkToTarget(const VoteSnapshot& snapshot, uint64_t finalized_slot) {
  constexpr absl::string_view kBelowAnchor = "no vote target: the walk from the head leaves the known blocks";
  Checkpoint target = snapshot.head;
  for (int step = 0; step < kJustificationLookbackSlots && target.slot > snapshot.safe_target.slot; ++step) {
    const std::optional<Checkpoint> parent = ParentOf(snapshot, target.slot);
    if (!parent.has_value()) return absl::FailedPreconditionError(kBelowAnchor);
    target = *parent;
  }
  while (target.slot >= finalized_slot && !IsJustifiableAfter(target.slot, finalized_slot)) {
    const std::optional<Checkpoint> parent = ParentOf(snapshot, target.slot);
    if (!parent.has_value()) return absl::FailedPreconditionError(kBelowAnchor);
    target = *parent;
  }
  if (target.slot < finalized_slot) {
    return absl::FailedPreconditionError("no vote target: the walk from the head goes below the finalized slot");
  }
  return target;
}

}  // namespace

absl::StatusOr<Checkpoint> ReferenceVoteTarget(const VoteSnapshot& snapshot) {
  return WalkToTarget(snapshot, snapshot.finalized.slot);
}

AttestationData BuildVote(const VoteSnapshot& snapshot, uint64_t slot) {
  // A block can only count votes whose source is justified on its own chain, so the head's own checkpoints are what
  // matters, not the store's, which another fork may have brought. At genesis (no root yet) and right above an anchor
  // without history (its justified block is not known) there is nothing but the store's.
  const Checkpoint& on_head = snapshot.head_state->latest_justified;
  const bool usable = !on_head.root.IsZero() && on_head.slot >= snapshot.oldest_slot;
  const Checkpoint& source = usable ? on_head : snapshot.justified;
  const uint64_t finalized_slot = usable ? snapshot.head_state->latest_finalized.slot : snapshot.finalized.slot;

  // Everyone, our own chain included, refuses a target older than its source.
  const absl::StatusOr<Checkpoint> target = WalkToTarget(snapshot, finalized_slot);
  return AttestationData{.slot = slot,
                         .head = snapshot.head,
                         .target = target.ok() && target->slot >= source.slot ? *target : source,
                         .source = source};
}

}  // namespace lean::beacon
