#include "beacon/rpc/callers/kept_blocks.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "common/containers/block.h"

namespace lean::beacon {

bool KeptBlocks::Keep(const rpc::Caller& caller, std::shared_ptr<BuiltBlock> built) {
  Entry entry{.caller = caller.identity(),
              .rank = callers_->RankOf(caller),
              .slot = built->block.slot,
              .root = built->root,
              .proposers_vote = built->proposer_attestation,
              .built = nullptr,
              .signed_block = nullptr};
  entry.built = std::move(built);
  MutexLock lock(mutex_);
  std::erase_if(entries_, [&](const Entry& other) { return other.caller == entry.caller || other.slot < entry.slot; });
  if (entries_.size() >= kMost) {
    const auto worst = std::max_element(entries_.begin(), entries_.end(),
                                        [](const Entry& a, const Entry& b) { return a.rank < b.rank; });
    if (worst->rank < entry.rank) return false;
    entries_.erase(worst);
  }
  entries_.push_back(std::move(entry));
  return true;
}

std::optional<Attestation> KeptBlocks::ProposersVote(const Root& root) const {
  MutexLock lock(mutex_);
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) { return other.root == root; });
  if (entry == entries_.end()) return std::nullopt;
  return entry->proposers_vote;
}

SignedBlockPtr KeptBlocks::Sign(const Root& root, const SignatureBytes& signature) {
  MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.root != root) continue;
    if (entry.signed_block != nullptr) return entry.signed_block;
    if (entry.built == nullptr) continue;
    entry.built->signatures.push_back(signature);
    absl::StatusOr<BlockSignatures> signatures = BlockSignatures::FromVector(std::move(entry.built->signatures));
    if (!signatures.ok()) continue;  // a block has at most 4095 votes
    const auto block = std::make_shared<const SignedBlockWithAttestation>(SignedBlockWithAttestation{
        .message = {.block = std::move(entry.built->block), .proposer_attestation = entry.proposers_vote},
        .signature = *std::move(signatures)});
    entry.built = nullptr;
    entry.signed_block = block;
    return block;
  }
  return nullptr;
}

void KeptBlocks::Forget(const Root& root) {
  MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.root == root) entry.signed_block = nullptr;
  }
}

metrics::Footprint KeptBlocks::footprint() const {
  MutexLock lock(mutex_);
  metrics::Footprint all{.name = "kept_blocks", .items = 0, .bytes = 0};
  for (const Entry& entry : entries_) {
    if (entry.built == nullptr && entry.signed_block == nullptr) continue;
    const Block& block = entry.built != nullptr ? entry.built->block : entry.signed_block->message.block;
    ++all.items;
    all.bytes += block.body.attestations.size() * sizeof(SignedAttestation);
  }
  return all;
}

}  // namespace lean::beacon
