// What LeanChain holds, and what it gives up.
#include <utility>
#include <vector>

#include "beacon/chain/lean_chain.h"

namespace lean::beacon {

void LeanChain::InsertState(const Root& root, StatePtr state) {
  const uint64_t bytes = BytesOf(*state);
  if (!states_.emplace(root, std::move(state)).second) return;
  state_order_.push_back(root);
  state_bytes_ += bytes;
}

std::vector<SignedBlockPtr> LeanChain::Prune(const PruneLimits& limits) {
  // When a fork that does not descend from the finalized block is justified, its branch is still needed.
  if (fork_choice_.Descends(justified_.root, finalized_.root)) fork_choice_.Prune(finalized_.root);

  for (size_t left = state_order_.size(); left > 0 && states_.size() > limits.states; --left) {
    const Root root = state_order_.front();
    state_order_.pop_front();
    if (root == head_.root || root == justified_.root || root == finalized_.root) {
      state_order_.push_back(root);
    } else {
      const auto it = states_.find(root);
      state_bytes_ -= BytesOf(*it->second);
      states_.erase(it);
    }
  }

  std::vector<SignedBlockPtr> dropped;
  while (!block_order_.empty() && (held_bytes_ > limits.block_bytes || block_order_.size() > limits.blocks)) {
    const Root root = block_order_.front();
    block_order_.pop_front();
    const auto it = blocks_.find(root);
    held_bytes_ -= it->second.bytes;
    dropped.push_back(std::move(it->second.signed_block));
    blocks_.erase(it);
  }
  return dropped;
}

metrics::FootprintList LeanChain::footprints() const {
  // A root and its slot, a pointer, and the free places of a hash table.
  constexpr size_t kKnownBytes = 64;
  // A root with its share of the tree above it.
  constexpr size_t kHistoryBytes = 72;
  return {{.name = "states", .items = states_.size(), .bytes = state_bytes_},
          {.name = "history", .items = head_history_.size(), .bytes = head_history_.size() * kHistoryBytes},
          {.name = "blocks", .items = blocks_.size(), .bytes = held_bytes_},
          {.name = "known_blocks", .items = known_blocks_.size(), .bytes = known_blocks_.size() * kKnownBytes},
          {.name = "tree", .items = fork_choice_.size(), .bytes = fork_choice_.bytes()},
          {.name = "known_votes", .items = known_.size(), .bytes = known_.size() * kHeldVoteBytes},
          {.name = "pending_votes", .items = pending_.size(), .bytes = pending_.size() * kHeldVoteBytes}};
}

}  // namespace lean::beacon
