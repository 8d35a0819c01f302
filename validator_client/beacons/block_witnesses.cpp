#include "validator_client/beacons/block_witnesses.h"

#include <algorithm>

namespace lean::validator {

void KnownBlocks::Add(const Checkpoint& block) {
  const std::optional<uint64_t> known = SlotOf(block.root);
  if (known.has_value() && *known != block.slot) {
    // The slot that two beacons give replaces the slot that one beacon gave.
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

std::array<Checkpoint, 3> BlocksOf(const AttestationData& vote) { return {vote.head, vote.target, vote.source}; }

std::optional<size_t> AgreedVote(const std::vector<VoteCandidate>& candidates) {
  std::optional<size_t> best;
  ptrdiff_t most = 1;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const ptrdiff_t alike = std::count_if(candidates.begin(), candidates.end(),
                                          [&](const VoteCandidate& other) { return other.data == candidates[i].data; });
    if (alike <= most) continue;
    most = alike;
    best = i;
  }
  return best;
}

void BlockWitnesses::Built(const VoteCandidate& vote) {
  for (const Checkpoint& block : BlocksOf(vote.data)) Knows(vote.beacon, block);
}

bool BlockWitnesses::IsCorroborated(size_t teller, const Root& root) const {
  if (known_.Contains(root)) return true;
  const auto found = slots_.find(root);
  return found != slots_.end() && std::any_of(found->second.begin(), found->second.end(),
                                              [teller](const auto& by) { return by.first != teller; });
}

bool BlockWitnesses::IsCorroborated(size_t teller, const Checkpoint& block) const {
  if (known_.Contains(block)) return true;
  const auto found = slots_.find(block.root);
  return found != slots_.end() && std::any_of(found->second.begin(), found->second.end(), [&](const auto& by) {
           return by.first != teller && by.second == block.slot;
         });
}

bool BlockWitnesses::IsCorroborated(const VoteCandidate& vote) const {
  const auto blocks = BlocksOf(vote.data);
  return std::all_of(blocks.begin(), blocks.end(),
                     [&](const Checkpoint& block) { return IsCorroborated(vote.beacon, block); });
}

size_t BlockWitnesses::Denials(size_t teller, const Root& root) const {
  if (IsCorroborated(teller, root)) return 0;
  const auto found = lacking_.find(root);
  if (found == lacking_.end()) return 0;
  return found->second.size() - found->second.count(teller);
}

size_t BlockWitnesses::Denials(size_t teller, const Checkpoint& block) const {
  if (IsCorroborated(teller, block)) return 0;
  size_t denials = known_.Contains(block.root) ? 1 : 0;
  if (const auto lacking = lacking_.find(block.root); lacking != lacking_.end()) {
    denials += lacking->second.size() - lacking->second.count(teller);
  }
  if (const auto known = slots_.find(block.root); known != slots_.end()) {
    // All of these beacons have the block at another slot, since it is not corroborated.
    denials += known->second.size() - known->second.count(teller);
  }
  return denials;
}

size_t BlockWitnesses::Denials(const VoteCandidate& vote) const {
  size_t most = 0;
  for (const Checkpoint& block : BlocksOf(vote.data)) most = std::max(most, Denials(vote.beacon, block));
  return most;
}

bool BlockWitnesses::HasSpoken(size_t beacon, const Root& root) const {
  const auto known = slots_.find(root);
  if (known != slots_.end() && known->second.contains(beacon)) return true;
  const auto lacking = lacking_.find(root);
  return lacking != lacking_.end() && lacking->second.contains(beacon);
}

}  // namespace lean::validator
