#include "beacon/chain/lean_chain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/state_transition.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// After this many ticks further ones change nothing, so that time can advance in one step: pending votes were accepted,
// and the safe target was computed without votes.
constexpr int kTicksToRest = 2 * kChainIntervalsPerSlot;

// Sets the head's state of a view that has none.
absl::Status NeedHeadState(const StatePtr& given, VoteSnapshot& view) {
  if (view.head_state != nullptr) return absl::OkStatus();
  if (given == nullptr || BlockRootOf(*given) != view.head.root) return NeedsStateError(view.head.root);
  view.head_state = given;
  return absl::OkStatus();
}

template <typename Map>
typename Map::mapped_type FindOrDefault(const Map& map, const Root& root) {
  const auto it = map.find(root);
  return it == map.end() ? typename Map::mapped_type() : it->second;
}

}  // namespace

absl::StatusOr<ChainEvents> LeanChain::OnBlock(SignedBlockPtr signed_block, ImportMode mode,
                                               const TransitionWatch& watch) {
  const Block& block = signed_block->message.block;
  const Root body_root = functions_.body_root(signed_block);
  const Checkpoint id{.root = ssz::HashTreeRoot(HeaderOf(block, body_root)), .slot = block.slot};
  if (HasBlock(id.root)) {
    ChainEvents events;
    events.already_known = true;
    return events;
  }
  ASSIGN_OR_RETURN(StatePtr post_state, CheckBlock(*signed_block, id, body_root, mode, watch));

  // From here on nothing fails.
  const VoteSnapshot before = View();
  Insert(id, signed_block, std::move(post_state));
  const Attestations& votes = block.body.attestations;
  for (size_t i = 0; i < votes.size(); ++i) {
    if (mode == ImportMode::kHistory && !CheckVote(votes[i].data, nullptr).ok()) continue;
    CountBodyVote(votes[i], signed_block->signature[i]);
  }
  // The proposer's vote must not count for its own block yet, so it is added after the head is updated.
  UpdateHead();
  const Attestation& proposer_vote = signed_block->message.proposer_attestation;
  if (mode == ImportMode::kLive || CheckGossipVote(proposer_vote.data, nullptr).ok()) {
    AddPending(std::make_shared<const SignedAttestation>(
        SignedAttestation{.message = proposer_vote, .signature = signed_block->signature[votes.size()]}));
  }
  return EventsSince(before);
}

absl::StatusOr<StatePtr> LeanChain::CheckBlock(const SignedBlockWithAttestation& signed_block, const Checkpoint& id,
                                               const Root& body_root, ImportMode mode,
                                               const TransitionWatch& watch) const {
  const Block& block = signed_block.message.block;
  const std::optional<uint64_t> parent_slot = SlotOf(block.parent_root);
  if (!parent_slot.has_value() || !HasBlock(block.parent_root)) {
    return MissingRootError("parent block", block.parent_root);
  }
  const StatePtr parent_state = StateOf(block.parent_root);
  if (parent_state == nullptr && !fork_choice_.Contains(block.parent_root)) {
    return TooOldError("block builds on one far behind the finalized block");
  }
  const Attestations& votes = block.body.attestations;
  if (signed_block.signature.size() != votes.size() + 1) {
    return InvalidError(absl::StrCat("block has ", signed_block.signature.size(), " signatures for ", votes.size(),
                                     " votes and the proposer's"));
  }
  const Attestation& proposer_vote = signed_block.message.proposer_attestation;
  const auto in_range = [this](const Attestation& vote) { return vote.validator_id < validator_count_; };
  if (!std::all_of(votes.begin(), votes.end(), in_range) || !in_range(proposer_vote)) {
    return InvalidError(absl::StrCat("block has a vote of a validator that is not among the ", validator_count_));
  }
  // Cheap checks come before the transition and before a state is restored. Their order does not matter.
  if (block.slot <= *parent_slot || block.proposer_index != ProposerOf(block.slot, validator_count_)) {
    return InvalidError(absl::StrCat("block of slot ", block.slot, " by validator ", block.proposer_index,
                                     " on a parent of slot ", *parent_slot));
  }
  if (mode == ImportMode::kLive) {
    RETURN_IF_ERROR(CheckBlockVotes(signed_block, id));
  }
  if (parent_state == nullptr) return NeedsStateError(block.parent_root);
  ASSIGN_OR_RETURN(StatePtr post_state, functions_.transition(*parent_state, signed_block, id.root, body_root, watch));
  const Checkpoint& justified = post_state->latest_justified;
  if (justified.slot > justified_.slot && !justified.root.IsZero() && !fork_choice_.Contains(justified.root)) {
    return TooOldError("block justifies one that does not descend from the finalized block");
  }
  return post_state;
}

absl::Status LeanChain::CheckBlockVotes(const SignedBlockWithAttestation& signed_block, const Checkpoint& id) const {
  for (const Attestation& vote : signed_block.message.block.body.attestations) {
    RETURN_IF_ERROR(CheckVote(vote.data, &id), WithContext("vote in block", _));
  }
  return WithContext("proposer's vote", CheckGossipVote(signed_block.message.proposer_attestation.data, &id));
}

absl::Status LeanChain::CheckVoteRoot(absl::string_view what, const Checkpoint& checkpoint, bool check_slot,
                                      const Checkpoint* importing) const {
  std::optional<uint64_t> slot = SlotOf(checkpoint.root);
  if (importing != nullptr && checkpoint.root == importing->root) slot = importing->slot;
  if (!slot.has_value()) return MissingRootError(what, checkpoint.root);
  if (check_slot && *slot != checkpoint.slot) {
    return InvalidError(absl::StrCat(what, " is at slot ", *slot, ", not ", checkpoint.slot));
  }
  return absl::OkStatus();
}

absl::Status LeanChain::CheckVote(const AttestationData& data, const Checkpoint* importing) const {
  if (data.source.slot > data.target.slot) return InvalidError("vote's target is older than its source");
  RETURN_IF_ERROR(CheckVoteRoot("vote's source", data.source, /*check_slot=*/true, importing));
  RETURN_IF_ERROR(CheckVoteRoot("vote's target", data.target, /*check_slot=*/true, importing));
  // The head's slot is not checked, because nothing reads it.
  RETURN_IF_ERROR(CheckVoteRoot("vote's head", data.head, /*check_slot=*/false, importing));
  if (data.slot > current_slot() + 1) {
    return FutureError(absl::StrCat("vote is for slot ", data.slot, ", it is slot ", current_slot()));
  }
  return absl::OkStatus();
}

absl::Status LeanChain::CheckGossipVote(const AttestationData& data, const Checkpoint* importing) const {
  RETURN_IF_ERROR(CheckVote(data, importing));
  if (data.slot > current_slot()) {
    return FutureError(absl::StrCat("vote is for slot ", data.slot, ", it is slot ", current_slot()));
  }
  return absl::OkStatus();
}

absl::StatusOr<ChainEvents> LeanChain::OnVote(SignedVotePtr vote) {
  RETURN_IF_ERROR(CheckGossipVote(vote->message.data, nullptr));
  AddPending(std::move(vote));
  return ChainEvents{};
}

void LeanChain::Insert(const Checkpoint& id, SignedBlockPtr signed_block, StatePtr post_state) {
  if (post_state->latest_justified.slot > justified_.slot) justified_ = post_state->latest_justified;
  if (post_state->latest_finalized.slot > finalized_.slot) finalized_ = post_state->latest_finalized;
  const BlockPtr block(signed_block, &signed_block->message.block);
  fork_choice_.AddBlock(id.root, block->parent_root, id.slot);
  known_blocks_.insert_or_assign(id.root, KnownBlock{.slot = static_cast<uint32_t>(id.slot), .imported = true});
  ++imported_;
  InsertState(id.root, std::move(post_state));
  const uint64_t bytes = BytesOf(*signed_block);
  blocks_.emplace(id.root, HeldBlock{.bytes = bytes, .signed_block = signed_block, .block = block});
  block_order_.push_back(id.root);
  held_bytes_ += bytes;
}

void LeanChain::CountBodyVote(const Attestation& vote, const SignatureBytes& signature) {
  const uint64_t slot = vote.data.slot;
  const SignedVotePtr& known = known_.Find(vote.validator_id);
  if (known == nullptr || known->message.data.slot < slot) {
    known_.Set(std::make_shared<const SignedAttestation>(SignedAttestation{.message = vote, .signature = signature}));
    fork_choice_.MoveVote(vote.validator_id, vote.data.head.root);
  }
  const SignedVotePtr& pending = pending_.Find(vote.validator_id);
  if (pending != nullptr && pending->message.data.slot <= slot) pending_.Erase(vote.validator_id);
}

void LeanChain::AddPending(SignedVotePtr vote) {
  const SignedVotePtr& pending = pending_.Find(vote->message.validator_id);
  if (pending != nullptr && pending->message.data.slot >= vote->message.data.slot) return;
  pending_.Set(std::move(vote));
}

void LeanChain::AcceptPending() {
  // A pending vote replaces a known one even when that is newer, as in the reference.
  pending_.ForEach([this](const SignedVotePtr& vote) {
    known_.Set(vote);
    fork_choice_.MoveVote(vote->message.validator_id, vote->message.data.head.root);
  });
  pending_.Clear();
  UpdateHead();
}

void LeanChain::UpdateHead() {
  const Root root = fork_choice_.UpdateHead(justified_.root);
  if (root == head_.root) return;
  StatePtr state = StateOf(root);
  if (state != nullptr) {
    head_history_ = state->historical_block_hashes;
  } else if (const std::optional<Branch> branch = BranchOf(root)) {
    head_history_ = HistoryOf(*branch);
  }
  head_ = Checkpoint{.root = root, .slot = SlotOf(root).value_or(0)};
  head_state_ = std::move(state);
}

void LeanChain::UpdateSafeTarget() {
  const uint64_t two_thirds = (validator_count_ * 2 + 2) / 3;  // rounded up
  const Root root = fork_choice_.FindWithScore(justified_.root, pending_, two_thirds);
  safe_target_ = Checkpoint{.root = root, .slot = SlotOf(root).value_or(0)};
}

void LeanChain::Tick() {
  ++time_;
  switch (time_ % kChainIntervalsPerSlot) {
    case 2:
      UpdateSafeTarget();
      break;
    case 3:
      AcceptPending();
      break;
  }
}

ChainEvents LeanChain::OnInterval(uint64_t interval_since_genesis) {
  const VoteSnapshot before = View();
  int ticks = 0;
  while (time_ < interval_since_genesis) {
    // After a long pause the ticks in between change nothing.
    if (ticks >= kTicksToRest) time_ = interval_since_genesis - 1;
    ++ticks;
    Tick();
  }
  return EventsSince(before);
}

ChainEvents LeanChain::SetTimeBack(uint64_t interval_since_genesis) {
  if (interval_since_genesis >= time_) return {};
  const VoteSnapshot before = View();
  time_ = interval_since_genesis;
  DropVotesAfter(current_slot());
  UpdateHead();
  return EventsSince(before);
}

void LeanChain::DropVotesAfter(uint64_t slot) {
  for (VoteMap* votes : {&known_, &pending_}) {
    std::vector<uint64_t> later;
    votes->ForEach([&](const SignedVotePtr& vote) {
      if (vote->message.data.slot > slot) later.push_back(vote->message.validator_id);
    });
    for (const uint64_t validator : later) {
      votes->Erase(validator);
      if (votes == &known_) fork_choice_.MoveVote(validator, Root());  // removes its weight
    }
  }
}

bool LeanChain::AddState(StatePtr state) {
  const Root root = BlockRootOf(*state);
  if (!fork_choice_.Contains(root)) return false;
  if (root == head_.root) head_state_ = state;
  InsertState(root, std::move(state));
  return true;
}

std::optional<Branch> LeanChain::BranchOf(const Root& root) const {
  const std::optional<uint64_t> slot = SlotOf(root);
  if (!slot.has_value()) return std::nullopt;
  Branch branch{.block = {.root = root, .slot = *slot}, .trunk = head_history_, .fork_slot = *slot, .side = {}};
  // Walk down to the newest ancestor on the head's chain.
  Checkpoint at = branch.block;
  while (CanonicalRoot(at.slot) != at.root) {
    const std::optional<Checkpoint> parent = fork_choice_.ParentOf(at.root);
    if (!parent.has_value()) return std::nullopt;
    at = *parent;
    branch.side.push_back(at);
  }
  if (!branch.side.empty()) branch.fork_slot = at.slot;
  return branch;
}

std::optional<uint64_t> LeanChain::SlotOf(const Root& root) const {
  const auto it = known_blocks_.find(root);
  return it == known_blocks_.end() ? std::nullopt : std::optional(it->second.slot);
}

bool LeanChain::HasBlock(const Root& root) const {
  const auto it = known_blocks_.find(root);
  return it != known_blocks_.end() && (it->second.imported || it->second.slot <= anchor_.slot);
}

SignedBlockPtr LeanChain::SignedBlockOf(const Root& root) const { return FindOrDefault(blocks_, root).signed_block; }

BlockPtr LeanChain::BlockOf(const Root& root) const { return FindOrDefault(blocks_, root).block; }

StatePtr LeanChain::StateOf(const Root& root) const { return FindOrDefault(states_, root); }

std::optional<Root> LeanChain::CanonicalRoot(uint64_t slot) const {
  if (slot == head_.slot) return head_.root;
  if (slot >= head_history_.size() || head_history_[slot].IsZero()) return std::nullopt;
  return head_history_[slot];
}

bool LeanChain::IsCanonical(const Root& root) const {
  const std::optional<uint64_t> slot = SlotOf(root);
  return slot.has_value() && CanonicalRoot(*slot) == root;
}

std::optional<uint64_t> LeanChain::LatestVoteSlot(uint64_t validator) const {
  std::optional<uint64_t> latest;
  for (const VoteMap* votes : {&known_, &pending_}) {
    const SignedVotePtr& vote = votes->Find(validator);
    if (vote != nullptr) latest = std::max(latest.value_or(0), vote->message.data.slot);
  }
  return latest;
}

absl::StatusOr<ProposalSnapshot> LeanChain::PrepareProposal(uint64_t slot, const StatePtr& head_state) const {
  if (slot > current_slot() + 1) {
    return FutureError(absl::StrCat("slot ", slot, " is too far ahead, it is slot ", current_slot()));
  }
  ProposalSnapshot snapshot{.view = View(), .votes = {}};
  if (pending_.empty()) {
    snapshot.votes = known_.ToVector();
  } else {
    // The result of accepting the pending votes, without changing the chain.
    VoteMap votes = known_;
    pending_.ForEach([&votes](const SignedVotePtr& vote) { votes.Set(vote); });
    const Root head = fork_choice_.HeadWith(justified_.root, pending_);
    snapshot.view.head = Checkpoint{.root = head, .slot = SlotOf(head).value_or(0)};
    snapshot.view.head_state = StateOf(head);
    snapshot.votes = votes.ToVector();
  }
  if (slot <= snapshot.view.head.slot) {
    return TooOldError(absl::StrCat("no block for slot ", slot, ": the head is at slot ", snapshot.view.head.slot));
  }
  RETURN_IF_ERROR(NeedHeadState(head_state, snapshot.view));
  return snapshot;
}

absl::StatusOr<VoteSnapshot> LeanChain::PrepareVote(uint64_t slot, const StatePtr& head_state) const {
  if (slot > current_slot() + 1) {
    return FutureError(absl::StrCat("slot ", slot, " is too far ahead, it is slot ", current_slot()));
  }
  VoteSnapshot view = View();
  RETURN_IF_ERROR(NeedHeadState(head_state, view));
  return view;
}

VoteSnapshot LeanChain::View() const {
  return VoteSnapshot{.head = head_,
                      .head_state = head_state_,
                      .safe_target = safe_target_,
                      .justified = justified_,
                      .finalized = finalized_,
                      .oldest_slot = oldest_slot_};
}

ChainEvents LeanChain::EventsSince(const VoteSnapshot& before) const {
  ChainEvents events;
  if (head_ != before.head) events.head = head_;
  if (safe_target_ != before.safe_target) events.safe_target = safe_target_;
  if (justified_ != before.justified) events.justified = justified_;
  if (finalized_ != before.finalized) events.finalized = finalized_;
  events.reorg = events.head.has_value() && !fork_choice_.Descends(head_.root, before.head.root);
  return events;
}

}  // namespace lean::beacon
