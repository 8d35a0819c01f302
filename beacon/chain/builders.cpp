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

// Collects votes as the reference does, round by round: each takes, in order, the votes whose source is what the block
// so far has justified, until a round finds none. The reference runs the transition anew for each round; since votes
// are only ever appended, going on from where the last round ended comes to the same.
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
      // One that would fail the whole block is dropped, where the reference lets its own block be refused.
      if (message.validator_id >= validator_count || taken.size() == kMaxVotesInBody) continue;
      if (!processor.Apply(message).ok()) continue;
      taken.push_back(std::move(vote));
      found = true;
    }
    left = std::move(other);
  }
  return taken;
}

// The block before the one at `slot` on the head's chain, if it is known.
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
  // No vote reads the body's root; it is entered when the body is complete.
  ASSIGN_OR_RETURN(State entered, ProcessBlockHeader(advanced, block, Root()));
  ASSIGN_OR_RETURN(VoteProcessor processor, VoteProcessor::Create(std::move(entered)));

  const std::vector<SignedVotePtr> votes = CollectVotes(snapshot.votes, view.head_state->validators.size(), processor);
  std::vector<Attestation> messages;
  messages.reserve(votes.size());
  built.signatures.reserve(votes.size());
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
  BlockHeader header = post_state->latest_block_header;
  header.state_root = block.state_root;
  built.root = ssz::HashTreeRoot(header);  // a block's root is its header's

  // The view as it will be when the block is in and the head.
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
  // A block can only count votes whose source is justified on its own chain, so the head's own checkpoints are what
  // matters, not the store's, which another fork may have brought. At genesis (no root yet) and right above an anchor
  // without history (its justified block is not known) there is nothing but the store's.
  const Checkpoint& on_head = snapshot.head_state->latest_justified;
  const bool usable = !on_head.root.IsZero() && on_head.slot >= snapshot.oldest_slot;
  const Checkpoint& source = usable ? on_head : snapshot.justified;
  const uint64_t finalized_slot = usable ? snapshot.head_state->latest_finalized.slot : snapshot.finalized.slot;

  // Every node refuses a target older than its source.
  const absl::StatusOr<Checkpoint> target = WalkToTarget(snapshot, finalized_slot);
  return AttestationData{.slot = slot,
                         .head = snapshot.head,
                         .target = target.ok() && target->slot >= source.slot ? *target : source,
                         .source = source};
}

}  // namespace lean::beacon
