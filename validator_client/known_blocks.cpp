#include "validator_client/known_blocks.h"

#include <algorithm>

namespace lean::validator {

void KnownBlocks::Add(const Checkpoint& block) {
  if (!slots_.try_emplace(block.root, block.slot).second) return;
  by_slot_.insert({block.slot, block.root});
  newest_slot_ = std::max(newest_slot_, block.slot);
  if (by_slot_.size() <= kMaxBlocks) return;
  slots_.erase(by_slot_.begin()->second);
  by_slot_.erase(by_slot_.begin());
}

bool KnownBlocks::Contains(const Checkpoint& block) const { return SlotOf(block.root) == block.slot; }

std::optional<uint64_t> KnownBlocks::SlotOf(const Root& root) const {
  const auto found = slots_.find(root);
  return found == slots_.end() ? std::nullopt : std::optional<uint64_t>(found->second);
}

}  // namespace lean::validator
