#include "beacon/storage/stored_block_source.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"

namespace lean::beacon {
namespace {

// Looked up together under the chain's lock.
constexpr uint64_t kSlotsAtOnce = 256;

struct Place {
  Checkpoint id;
  SignedBlockPtr block;  // null when the chain does not hold it
};

std::vector<Place> Places(const LeanChain& chain, uint64_t first, uint64_t end) {
  std::vector<Place> places;
  for (uint64_t slot = first; slot < end; ++slot) {
    const std::optional<Root> root = chain.CanonicalRoot(slot);
    if (!root.has_value()) continue;
    places.push_back({.id = {.root = *root, .slot = slot}, .block = chain.SignedBlockOf(*root)});
  }
  return places;
}

}  // namespace

SignedBlockPtr StoredBlockSource::FromDisk(const Checkpoint& id) const {
  absl::StatusOr<SignedBlockPtr> block = database_.BlockAt(id);
  if (block.ok()) return *std::move(block);
  const SteadyTime now = clock_.Steady();
  lines_.LogLeftOut(now, *log_);
  if (lines_.Admit("block_unreadable", now)) {
    log_->warn("block_unreadable slot={} message=\"{}\"", id.slot, std::string(block.status().message()));
  }
  return nullptr;
}

SignedBlockPtr StoredBlockSource::ByRoot(const Root& root) const {
  if (SignedBlockPtr block = memory_.ByRoot(root)) return block;
  const std::optional<uint64_t> slot = service_.Read([&](const LeanChain& chain) { return chain.SlotOf(root); });
  return slot.has_value() ? FromDisk({.root = root, .slot = *slot}) : nullptr;
}

std::vector<SignedBlockPtr> StoredBlockSource::CanonicalRange(uint64_t first_slot, uint64_t count,
                                                              size_t max_bytes) const {
  std::vector<SignedBlockPtr> blocks;
  size_t bytes = 0;
  const uint64_t head = service_.Read([](const LeanChain& chain) { return chain.head().slot; });
  uint64_t slot = std::max<uint64_t>(first_slot, 1);  // genesis has no signed form
  if (first_slot > head || slot > head) return blocks;
  const uint64_t end = count > head - first_slot ? head + 1 : first_slot + count;
  while (slot < end) {
    const uint64_t part_end = std::min(end, slot + kSlotsAtOnce);
    const std::vector<Place> places =
        service_.Read([&](const LeanChain& chain) { return Places(chain, slot, part_end); });
    for (const Place& place : places) {
      SignedBlockPtr block = place.block != nullptr ? place.block : FromDisk(place.id);
      if (block == nullptr) return blocks;
      bytes += BytesOf(*block);
      if (bytes > max_bytes && !blocks.empty()) return blocks;
      blocks.push_back(std::move(block));
    }
    slot = part_end;
  }
  return blocks;
}

uint64_t StoredBlockSource::earliest_slot() const {
  const absl::StatusOr<uint64_t> oldest = database_.OldestSlot();
  return oldest.ok() ? std::min(*oldest, memory_.earliest_slot()) : memory_.earliest_slot();
}

std::unique_ptr<const BlockSource> MakeBlockSource(const ChainService& service, const ChainDatabase* database,
                                                   const Clock& clock, const std::shared_ptr<spdlog::logger>& log) {
  if (database == nullptr) return std::make_unique<MemoryBlockSource>(service);
  return std::make_unique<StoredBlockSource>(service, *database, clock, log);
}

}  // namespace lean::beacon
