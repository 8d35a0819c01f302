#include "beacon/chain/builders.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_error.h"
#include "beacon/chain/state_transition.h"
#include "beacon/chain/vote_processor.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// Collects votes in rounds, as the reference does. Each round takes, in order, the votes whose source is the justified
// checkpoint after the votes so far, until a round finds none. The reference runs the transition again for each round.
// Votes are only appended, so continuing from the end of the last round gives the same result.
std::vector<SignedVotePtr> CollectVotes(const std::vector<SignedVotePtr>& votes, size_t validator_count,
                                        VoteProcessor& processor) {
  std::vector<SignedVotePtr> left = votes;
  std::vector<SignedVotePtr> taken;
  bool found = true;
  while (found) {
    found = false;
    const Checkpoint source = processor.latest_justified();
    std::vector<SignedVotePtr> other;
    for (SignedVotePtr& vote : left) {
      const Attestation& message = vote->message;
      if (message.data.source != source) {
        other.push_back(std::move(vote));
        continue;
      }
      // Drops a vote that would make the block invalid. The reference would build an invalid block.
      if (message.validator_id >= validator_count || taken.size() == kMaxVotesInBody) continue;
      if (!processor.Apply(message).ok()) continue;
      taken.push_back(std::move(vote));
      found = true;
    }
    left = std::move(other);
  }
  return taken;
}

// The block before that of `slot` on the head's chain, if it is known.
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

absl::StatusOr<BuiltBlock> BuildBlock(const ProposalSnapshot& snapshot, uint64_t slot, uint64_t proposer) {
  const VoteSnapshot& view = snapshot.view;
  if (slot <= view.head.slot) {
    return TooOldError(absl::StrCat("no block for slot ", slot, ": the head is at slot ", view.head.slot));
  }
  BuiltBlock built;
  Block& block = built.block;
  block.slot = slot;
  block.proposer_index = proposer;
  block.parent_root = view.head.root;

  ASSIGN_OR_RETURN(State advanced, ProcessSlots(*view.head_state, slot));
  // Votes do not depend on the root of the body, which is set when the body is complete.
  ASSIGN_OR_RETURN(State entered, ProcessBlockHeader(advanced, block, Root()));
  ASSIGN_OR_RETURN(VoteProcessor processor, VoteProcessor::Create(std::move(entered)));

  const std::vector<SignedVotePtr> votes = CollectVotes(snapshot.votes, view.head_state->validators.size(), processor);
  std::vector<Attestation> messages;
  messages.reserve(votes.size());
  built.signatures.reserve(votes.size() + 1);
  for (const SignedVotePtr& vote : votes) {
    messages.push_back(vote->message);
    built.signatures.push_back(vote->signature);
  }
  ASSIGN_OR_RETURN(block.body.attestations, Attestations::FromVector(std::move(messages)));

  ASSIGN_OR_RETURN(State finished, std::move(processor).Finish());
  const StatePtr post_state = [&] {
    finished.latest_block_header.body_root = ssz::HashTreeRoot(block.body);
    return std::make_shared<const State>(std::move(finished));
  }();
  block.state_root = ssz::HashTreeRoot(*post_state);
  built.header = post_state->latest_block_header;
  built.header.state_root = block.state_root;
  built.root = ssz::HashTreeRoot(built.header);  // a block and its header have the same root

  // The view after the import, with the block as the head.
  VoteSnapshot after = view;
  after.head = Checkpoint{.root = built.root, .slot = slot};
  after.head_state = post_state;
  if (post_state->latest_justified.slot > after.justified.slot) after.justified = post_state->latest_justified;
  if (post_state->latest_finalized.slot > after.finalized.slot) after.finalized = post_state->latest_finalized;
  built.proposer_attestation = Attestation{.validator_id = proposer, .data = BuildVote(after, slot)};
  return built;
}

absl::StatusOr<Checkpoint> ReferenceVoteTarget(const VoteSnapshot& snapshot) {
  return WalkToTarget(snapshot, snapshot.finalized.slot);
}

AttestationData BuildVote(const VoteSnapshot& snapshot, uint64_t slot) {
  // A block counts only votes whose source is justified on its own chain, so this uses the checkpoints of the head.
  // Those of the store may come from another fork; they are used at genesis, which has no root yet, and directly above
  // an anchor without history, whose justified block is not known.
  const Checkpoint& on_head = snapshot.head_state->latest_justified;
  const bool usable = !on_head.root.IsZero() && on_head.slot >= snapshot.oldest_slot;
  const Checkpoint& source = usable ? on_head : snapshot.justified;
  const uint64_t finalized_slot = usable ? snapshot.head_state->latest_finalized.slot : snapshot.finalized.slot;

  // All nodes refuse a target that is older than its source.
  const absl::StatusOr<Checkpoint> target = WalkToTarget(snapshot, finalized_slot);
  return AttestationData{.slot = slot,
                         .head = snapshot.head,
                         .target = target.ok() && target->slot >= source.slot ? *target : source,
                         .source = source};
}

}  // namespace lean::beacon
