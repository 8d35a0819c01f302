#include "validator_client/known_blocks.h"

#include <algorithm>

namespace lean::validator {

void KnownBlocks::Add(const Checkpoint& block) {
  const std::optional<uint64_t> known = SlotOf(block.root);
  if (known.has_value() && *known != block.slot) {
    // What one beacon said of its slot gives way to what two say.
    if (unconfirmed_.erase({*known, block.root}) == 0) return;
    by_slot_.erase({*known, block.root});
    slots_.erase(block.root);
  }
  if (!slots_.contains(block.root)) Insert(block);
  unconfirmed_.erase({block.slot, block.root});
  newest_confirmed_ = std::max(newest_confirmed_, block.slot);
}

void KnownBlocks::AddUnconfirmed(const Checkpoint& block) {
  if (slots_.contains(block.root)) return;
  unconfirmed_.insert({block.slot, block.root});
  Insert(block);
}

void KnownBlocks::ForgetUnconfirmed() {
  for (const auto& [slot, root] : unconfirmed_) {
    slots_.erase(root);
    by_slot_.erase({slot, root});
  }
  unconfirmed_.clear();
}

std::optional<uint64_t> KnownBlocks::newest_unconfirmed() const {
  return unconfirmed_.empty() ? std::nullopt : std::optional<uint64_t>(unconfirmed_.rbegin()->first);
}

void KnownBlocks::Insert(const Checkpoint& block) {
  slots_.emplace(block.root, block.slot);
  by_slot_.insert({block.slot, block.root});
  if (by_slot_.size() <= kMaxBlocks) return;
  slots_.erase(by_slot_.begin()->second);
  unconfirmed_.erase(*by_slot_.begin());
  by_slot_.erase(by_slot_.begin());
}

bool KnownBlocks::Contains(const Checkpoint& block) const { return SlotOf(block.root) == block.slot; }

std::optional<uint64_t> KnownBlocks::SlotOf(const Root& root) const {
  const auto found = slots_.find(root);
  return found == slots_.end() ? std::nullopt : std::optional<uint64_t>(found->second);
}

}  // namespace lean::validator
