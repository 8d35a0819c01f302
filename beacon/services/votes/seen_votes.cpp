#include "beacon/services/votes/seen_votes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

constexpr int64_t kEarlySlots = 1;  // by which a vote may be ahead of the clock

}  // namespace

void SeenVotes::Add(uint64_t slot, uint64_t validator, int64_t current_slot) {
  if (validator >= validator_count_ || current_slot < -1) return;
  const uint64_t newest = static_cast<uint64_t>(current_slot + 1);
  if (slot > newest) return;
  MutexLock lock(mutex_);
  slots_.erase(slots_.upper_bound(newest), slots_.end());
  std::optional<uint64_t>& latest = latest_[validator];
  if (latest.has_value() && *latest > newest) latest.reset();
  latest = std::max(latest.value_or(0), slot);
  if (slots_.size() >= kSlots && slot < slots_.begin()->first) return;
  Seen& seen = slots_[slot];
  if (seen.validators.empty()) seen.validators.resize(validator_count_);
  if (!seen.validators[validator]) {
    seen.validators[validator] = true;
    ++seen.count;
  }
  if (slots_.size() > kSlots) slots_.erase(slots_.begin());
}

metrics::Footprint SeenVotes::footprint() const {
  MutexLock lock(mutex_);
  return {.name = "seen_votes",
          .items = slots_.size(),
          .bytes = slots_.size() * validator_count_ / 8 + latest_.size() * sizeof(std::optional<uint64_t>)};
}

uint64_t SeenVotes::Count(uint64_t slot) const {
  MutexLock lock(mutex_);
  const auto seen = slots_.find(slot);
  return seen == slots_.end() ? 0 : seen->second.count;
}

std::vector<uint64_t> SeenVotes::Missing(uint64_t slot, size_t limit) const {
  std::vector<uint64_t> missing;
  MutexLock lock(mutex_);
  const auto seen = slots_.find(slot);
  for (uint64_t validator = 0; validator < validator_count_ && missing.size() < limit; ++validator) {
    if (seen == slots_.end() || !seen->second.validators[validator]) missing.push_back(validator);
  }
  return missing;
}

std::vector<SeenVotes::SlotVoters> SeenVotes::Voters() const {
  std::vector<SlotVoters> voters;
  MutexLock lock(mutex_);
  voters.reserve(slots_.size());
  for (const auto& [slot, seen] : slots_) {
    voters.push_back({.slot = slot, .voted = seen.validators, .count = seen.count});
  }
  return voters;
}

std::vector<std::optional<uint64_t>> SeenVotes::Latest(absl::Span<const uint64_t> validators) const {
  std::vector<std::optional<uint64_t>> latest;
  latest.reserve(validators.size());
  MutexLock lock(mutex_);
  for (const uint64_t validator : validators) {
    latest.push_back(validator < validator_count_ ? latest_[validator] : std::nullopt);
  }
  return latest;
}

SeenVote SeenVote::Of(const SignedVotePtr& vote) {
  return {.vote = {vote, &vote->message}, .signature = {vote, &vote->signature}};
}

void RecentVotes::Add(const SignedVotePtr& vote, const Root& root, int64_t current_slot) {
  MutexLock lock(mutex_);
  AddLocked(SeenVote::Of(vote), &root, /*shared=*/true, current_slot);
}

void RecentVotes::AddBlock(const SignedBlockPtr& block, bool shared, int64_t current_slot) {
  const Attestation& proposers = block->message.proposer_attestation;
  const Attestations& votes = block->message.block.body.attestations;
  // A block's votes are not newer than the block.
  if (static_cast<int64_t>(proposers.data.slot) + kSlots <= current_slot) return;
  MutexLock lock(mutex_);
  for (size_t i = 0; i < votes.size(); ++i) {
    AddLocked({.vote = {block, &votes[i]}, .signature = {block, &block->signature[i]}}, nullptr, shared, current_slot);
  }
  AddLocked({.vote = {block, &proposers}, .signature = {block, &block->signature.back()}}, nullptr, shared,
            current_slot);
}

void RecentVotes::AddLocked(SeenVote seen, const Root* root, bool shared, int64_t current_slot) {
  const uint64_t slot = seen.vote->data.slot;
  const int64_t newest = current_slot + kEarlySlots;
  if (seen.vote->validator_id >= validator_count_ || static_cast<int64_t>(slot) > newest ||
      static_cast<int64_t>(slot) <= newest - kSlots) {
    return;
  }
  while (!slots_.empty() && static_cast<int64_t>(slots_.begin()->first) <= newest - kSlots) {
    slots_.erase(slots_.begin());
  }
  // Drops slots from a time when the clock was ahead.
  while (!slots_.empty() && static_cast<int64_t>(slots_.rbegin()->first) > newest) {
    slots_.erase(std::prev(slots_.end()));
  }
  Slot& votes = slots_[slot];
  if (votes.validators.empty()) votes.validators.resize(validator_count_);
  for (Entry& entry : votes.validators[seen.vote->validator_id]) {
    if (entry.seen.vote == nullptr) {
      ++votes.votes;
      entry.root = root != nullptr ? *root : ssz::HashTreeRoot(*seen.vote);
      entry.seen = shared ? std::move(seen)
                          : SeenVote::Of(std::make_shared<const SignedAttestation>(
                                SignedAttestation{.message = *seen.vote, .signature = *seen.signature}));
      return;
    }
    if (*entry.seen.vote == *seen.vote) {
      // The newer holder stays, since the chain holds a block for longer than a single vote.
      if (shared) entry.seen = std::move(seen);
      return;
    }
  }
}

std::optional<SeenVote> RecentVotes::Find(uint64_t validator, uint64_t from_slot,
                                          const absl::flat_hash_set<Root>& known) const {
  if (validator >= validator_count_) return std::nullopt;
  MutexLock lock(mutex_);
  for (auto slot = slots_.rbegin(); slot != slots_.rend() && slot->first >= from_slot; ++slot) {
    for (const Entry& entry : slot->second.validators[validator]) {
      if (entry.seen.vote != nullptr && !known.contains(entry.root)) return entry.seen;
    }
  }
  return std::nullopt;
}

metrics::Footprint RecentVotes::footprint() const {
  MutexLock lock(mutex_);
  metrics::Footprint all{
      .name = "recent_votes", .items = 0, .bytes = slots_.size() * validator_count_ * sizeof(Entries)};
  for (const auto& [slot, votes] : slots_) all.items += votes.votes;
  all.bytes += all.items * kHeldVoteBytes;
  return all;
}

bool RecentVotes::Has(uint64_t validator, uint64_t slot) const {
  MutexLock lock(mutex_);
  const auto found = slots_.find(slot);
  return found != slots_.end() && validator < validator_count_ &&
         found->second.validators[validator].front().seen.vote != nullptr;
}

}  // namespace lean::beacon
