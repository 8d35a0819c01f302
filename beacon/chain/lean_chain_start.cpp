// How a LeanChain starts: from an anchor, or from a tree of blocks that this node has stored.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "beacon/chain/lean_chain.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {

absl::StatusOr<LeanChain> LeanChain::FromAnchor(StatePtr state, BlockPtr block,
                                                absl::Span<const Checkpoint> known_roots, AnchorHistory history,
                                                ChainFunctions functions) {
  if (block->state_root != ssz::HashTreeRoot(*state)) {
    return InvalidError("anchor block's state root is not that of the anchor state");
  }
  // The post-state of a block at slot s has s past slots. LeanChain relies on list indexes being slots.
  if (state->historical_block_hashes.size() != block->slot || state->justified_slots.size() != block->slot) {
    return InvalidError(absl::StrCat("anchor state has ", state->historical_block_hashes.size(),
                                     " historical roots and ", state->justified_slots.size(),
                                     " justified bits at a block of slot ", block->slot));
  }
  const Root root = ssz::HashTreeRoot(*block);
  const StatePtr anchor_state = state;
  LeanChain chain(std::move(state), std::move(block), root);
  chain.functions_ = std::move(functions);
  if (history == AnchorHistory::kKnown) {
    chain.oldest_slot_ = 0;
    chain.AddHistory(*anchor_state, anchor_state->historical_block_hashes.size());
  }
  for (const Checkpoint& known : known_roots) chain.AddKnown(known.root, known.slot);
  return chain;
}

absl::StatusOr<LeanChain> LeanChain::FromTree(absl::Span<const TreeBlock> blocks, const Checkpoint& justified,
                                              StatePtr state, absl::Span<const Checkpoint> known_roots) {
  if (blocks.empty()) return InvalidError("the tree has no block");
  const TreeBlock& first = blocks.front();
  const Checkpoint anchor{.root = first.root, .slot = first.slot};
  LeanChain chain(anchor, first.parent_root, *state);
  for (const TreeBlock& block : blocks.subspan(1)) {
    if (block.slot > kHistoricalRootsLimit || !chain.fork_choice_.AddBlock(block.root, block.parent_root, block.slot)) {
      return InvalidError(absl::StrCat("the block of slot ", block.slot, " has no parent in the tree"));
    }
    chain.known_blocks_.insert_or_assign(block.root,
                                         KnownBlock{.slot = static_cast<uint32_t>(block.slot), .imported = true});
    ++chain.imported_;
  }
  const uint64_t slot = state->latest_block_header.slot;
  if (state->historical_block_hashes.size() != slot || state->justified_slots.size() != slot ||
      (slot > anchor.slot && state->historical_block_hashes[anchor.slot] != anchor.root)) {
    return InvalidError(absl::StrCat("the state of slot ", slot, " is not above the tree's first block"));
  }
  if (!chain.fork_choice_.Contains(justified.root)) return InvalidError("the justified block is not in the tree");
  chain.oldest_slot_ = 0;
  chain.AddHistory(*state, anchor.slot);
  for (const Checkpoint& known : known_roots) chain.AddKnown(known.root, known.slot);
  chain.head_ = Checkpoint{.root = BlockRootOf(*state), .slot = slot};
  chain.head_history_ = state->historical_block_hashes;
  if (!chain.AddState(std::move(state))) return InvalidError("the state belongs to no block of the tree");
  chain.justified_ = justified;
  chain.time_ = slot * kChainIntervalsPerSlot;
  chain.UpdateHead();
  return chain;
}

LeanChain::LeanChain(const Checkpoint& anchor, const Root& parent_root, const State& state)
    : config_(state.config),
      anchor_(anchor),
      oldest_slot_(anchor.slot),
      time_(anchor.slot * kChainIntervalsPerSlot),
      head_(anchor),
      validator_count_(state.validators.size()),
      safe_target_(anchor),
      justified_(anchor),
      finalized_(anchor),
      fork_choice_(anchor.root, parent_root, anchor.slot) {
  known_blocks_.emplace(anchor.root, KnownBlock{.slot = static_cast<uint32_t>(anchor.slot), .imported = true});
  imported_ = 1;
}

LeanChain::LeanChain(StatePtr state, BlockPtr block, const Root& root)
    : LeanChain(Checkpoint{.root = root, .slot = block->slot}, block->parent_root, *state) {
  head_state_ = state;
  head_history_ = state->historical_block_hashes;
  InsertState(root, std::move(state));
  blocks_[root].block = std::move(block);
}

void LeanChain::AddKnown(const Root& root, uint64_t slot) {
  if (slot > kHistoricalRootsLimit) return;  // no chain has it
  known_blocks_.try_emplace(root, KnownBlock{.slot = static_cast<uint32_t>(slot), .imported = false});
}

void LeanChain::AddHistory(const State& state, uint64_t end_slot) {
  std::vector<Root> past = state.historical_block_hashes.ToVector();
  past.resize(end_slot);
  for (uint64_t slot = 0; slot < past.size(); ++slot) {
    if (!past[slot].IsZero()) AddKnown(past[slot], slot);  // zero: an empty slot
  }
}

}  // namespace lean::beacon
