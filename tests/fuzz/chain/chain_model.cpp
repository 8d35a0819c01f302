#include "tests/fuzz/chain/chain_model.h"

#include <algorithm>
#include <utility>

namespace lean::fuzz {
namespace {

constexpr uint64_t kIntervals = 4;

bool IsJustifiable(uint64_t distance) {
  if (distance <= 5) return true;
  for (uint64_t n = 0; n * n <= distance; ++n) {
    if (n * n == distance || n * (n + 1) == distance) return true;
  }
  return false;
}

// Counts a vote of a body. False: it makes the block invalid.
bool CountVote(ModelState& state, const Attestation& vote, uint64_t finalized_before, size_t validators) {
  const Checkpoint& source = vote.data.source;
  const Checkpoint& target = vote.data.target;
  if (source.slot >= state.justified_slots.size()) return false;
  if (!state.justified_slots[source.slot]) return true;
  if (target.slot >= state.justified_slots.size()) return false;
  if (state.justified_slots[target.slot]) return true;
  if (source.root != state.history[source.slot] || target.root != state.history[target.slot]) return true;
  if (target.slot <= source.slot) return true;
  if (target.slot < finalized_before) return false;
  if (!IsJustifiable(target.slot - finalized_before)) return true;
  if (vote.validator_id >= validators) return false;
  std::vector<bool>& tally = state.tallies.try_emplace(target.root, validators).first->second;
  tally.at(vote.validator_id) = true;
  if (3 * static_cast<size_t>(std::count(tally.begin(), tally.end(), true)) < 2 * validators) return true;
  state.justified = target;
  state.justified_slots[target.slot] = true;
  state.tallies.erase(target.root);
  for (uint64_t slot = source.slot + 1; slot < target.slot; ++slot) {
    if (slot < finalized_before) return false;
    if (IsJustifiable(slot - finalized_before)) return true;
  }
  state.finalized = source;
  return true;
}

}  // namespace

std::optional<ModelState> Transition(const ModelState& parent, size_t validators, const Block& block,
                                     const Root& root) {
  if (block.slot <= parent.block.slot || block.proposer_index != block.slot % validators) return std::nullopt;
  if (block.parent_root != parent.block.root) return std::nullopt;
  ModelState state = parent;
  state.block = {.root = root, .slot = block.slot};
  const bool parent_is_genesis = parent.block.slot == 0;
  if (parent_is_genesis) state.justified.root = state.finalized.root = parent.block.root;
  state.history.push_back(parent.block.root);
  state.history.resize(block.slot);
  state.justified_slots.push_back(parent_is_genesis);
  state.justified_slots.resize(block.slot);
  for (const Attestation& vote : block.body.attestations) {
    if (!CountVote(state, vote, parent.finalized.slot, validators)) return std::nullopt;
  }
  return state;
}

ChainModel::ChainModel(size_t validators, const Root& genesis)
    : validators_(validators),
      head_{.root = genesis, .slot = 0},
      safe_target_(head_),
      justified_(head_),
      finalized_(head_) {
  blocks_[genesis].state.block = head_;
}

bool ChainModel::OnBlock(const SignedBlockWithAttestation& signed_block, const Root& root, bool state_root_is_right,
                         bool as_history) {
  if (Has(root)) return true;
  const Block& block = signed_block.message.block;
  const Attestations& votes = block.body.attestations;
  const Attestation& own = signed_block.message.proposer_attestation;
  if (!Has(block.parent_root) || signed_block.signature.size() != votes.size() + 1) return false;
  const auto exists = [this](const Attestation& vote) { return vote.validator_id < validators_; };
  if (!exists(own) || !std::all_of(votes.begin(), votes.end(), exists)) return false;
  const Checkpoint id{.root = root, .slot = block.slot};
  if (!as_history) {
    if (!IsValidVote(own.data, /*from_gossip=*/true, &id)) return false;
    for (const Attestation& vote : votes) {
      if (!IsValidVote(vote.data, /*from_gossip=*/false, &id)) return false;
    }
  }
  std::optional<ModelState> state = Transition(StateOf(block.parent_root), validators_, block, root);
  if (!state.has_value() || !state_root_is_right) return false;

  if (state->justified.slot > justified_.slot) justified_ = state->justified;
  if (state->finalized.slot > finalized_.slot) finalized_ = state->finalized;
  blocks_[root] = {.parent = block.parent_root, .slot = block.slot, .state = *std::move(state)};
  for (const Attestation& vote : votes) {
    if (as_history && !IsValidVote(vote.data, /*from_gossip=*/false, nullptr)) continue;
    const auto known = known_.find(vote.validator_id);
    if (known == known_.end() || known->second.slot < vote.data.slot) known_[vote.validator_id] = vote.data;
    const auto pending = pending_.find(vote.validator_id);
    if (pending != pending_.end() && pending->second.slot <= vote.data.slot) pending_.erase(pending);
  }
  head_ = Walk(known_, 0);
  if (!as_history || IsValidVote(own.data, /*from_gossip=*/true, nullptr)) AddPending(own);
  return true;
}

bool ChainModel::OnVote(const Attestation& vote) {
  if (!IsValidVote(vote.data, /*from_gossip=*/true, nullptr)) return false;
  AddPending(vote);
  return true;
}

void ChainModel::OnInterval(uint64_t interval) {
  while (time_ < interval) {
    ++time_;
    if (time_ % kIntervals == 2) safe_target_ = Walk(pending_, (2 * validators_ + 2) / 3);
    if (time_ % kIntervals == 3) AcceptPending();
  }
}

void ChainModel::SetTimeBack(uint64_t interval) {
  if (interval >= time_) return;
  time_ = interval;
  const auto is_later = [this](const auto& vote) { return vote.second.slot > time_ / kIntervals; };
  std::erase_if(known_, is_later);
  std::erase_if(pending_, is_later);
  head_ = Walk(known_, 0);
}

std::optional<uint64_t> ChainModel::SlotOf(const Root& root, const Checkpoint* importing) const {
  if (importing != nullptr && importing->root == root) return importing->slot;
  const auto found = blocks_.find(root);
  return found == blocks_.end() ? std::nullopt : std::optional(found->second.slot);
}

bool ChainModel::IsValidVote(const AttestationData& data, bool from_gossip, const Checkpoint* importing) const {
  return SlotOf(data.source.root, importing) == data.source.slot &&
         SlotOf(data.target.root, importing) == data.target.slot && SlotOf(data.head.root, importing).has_value() &&
         data.source.slot <= data.target.slot && data.slot <= time_ / kIntervals + (from_gossip ? 0 : 1);
}

bool ChainModel::Descends(const Root& root, const Root& ancestor) const {
  for (auto at = blocks_.find(root); at != blocks_.end(); at = blocks_.find(at->second.parent)) {
    if (at->first == ancestor) return true;
  }
  return false;
}

uint64_t ChainModel::Weight(const Root& root, const Votes& votes) const {
  uint64_t weight = 0;
  for (const auto& [validator, data] : votes) weight += Descends(data.head.root, root) ? 1 : 0;
  return weight;
}

Checkpoint ChainModel::Walk(const Votes& votes, uint64_t min_score) const {
  auto at = blocks_.find(justified_.root);
  if (at == blocks_.end()) {
    // A chain whose transition has justified an empty slot, by its zero root: the walk begins at genesis.
    at = std::find_if(blocks_.begin(), blocks_.end(), [](const auto& block) { return block.second.slot == 0; });
  }
  while (true) {
    auto best = blocks_.end();
    uint64_t best_weight = 0;
    // In ascending order of the roots: of equal weights the larger root wins.
    for (auto child = blocks_.begin(); child != blocks_.end(); ++child) {
      if (child->second.slot == 0 || child->second.parent != at->first) continue;
      const uint64_t weight = Weight(child->first, votes);
      if (weight < min_score || (best != blocks_.end() && weight < best_weight)) continue;
      best = child;
      best_weight = weight;
    }
    if (best == blocks_.end()) return {.root = at->first, .slot = at->second.slot};
    at = best;
  }
}

void ChainModel::AddPending(const Attestation& vote) {
  const auto pending = pending_.find(vote.validator_id);
  if (pending == pending_.end() || pending->second.slot < vote.data.slot) pending_[vote.validator_id] = vote.data;
}

void ChainModel::AcceptPending() {
  for (const auto& [validator, data] : pending_) known_[validator] = data;
  pending_.clear();
  head_ = Walk(known_, 0);
}

}  // namespace lean::fuzz
