#include "beacon/services/block_source.h"

#include <algorithm>
#include <optional>

#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"

namespace lean::beacon {
namespace {

// Genesis has no signatures, and every node has it.
constexpr uint64_t kFirstSlot = 1;

// Whether the first canonical block at or after `slot` is held in its signed form; true beyond the head.
bool HeldFrom(const LeanChain& chain, uint64_t slot) {
  for (; slot <= chain.head().slot; ++slot) {
    const std::optional<Root> root = chain.CanonicalRoot(slot);
    if (root.has_value()) return chain.SignedBlockOf(*root) != nullptr;
  }
  return true;
}

}  // namespace

SignedBlockPtr MemoryBlockSource::ByRoot(const Root& root) const {
  return service_.Read([&](const LeanChain& chain) { return chain.SignedBlockOf(root); });
}

std::vector<SignedBlockPtr> MemoryBlockSource::CanonicalRange(uint64_t first_slot, uint64_t count,
                                                              size_t max_bytes) const {
  return service_.Read([&](const LeanChain& chain) {
    std::vector<SignedBlockPtr> blocks;
    size_t bytes = 0;
    const uint64_t first = std::max(first_slot, kFirstSlot);
    // No overflow: slots of a chain are far below the limit.
    if (first > chain.head().slot) return blocks;
    const uint64_t end = count > chain.head().slot - first_slot ? chain.head().slot + 1 : first_slot + count;
    for (uint64_t slot = first; slot < end; ++slot) {
      const std::optional<Root> root = chain.CanonicalRoot(slot);
      if (!root.has_value()) continue;
      SignedBlockPtr block = chain.SignedBlockOf(*root);
      if (block == nullptr) break;
      bytes += BytesOf(*block);
      if (bytes > max_bytes && !blocks.empty()) break;
      blocks.push_back(std::move(block));
    }
    return blocks;
  });
}

// Blocks are evicted in the order of their import, which on the canonical chain is the order of their slots.
uint64_t MemoryBlockSource::earliest_slot() const {
  return service_.Read([](const LeanChain& chain) {
    uint64_t low = std::max(chain.anchor().slot + 1, kFirstSlot);
    uint64_t high = chain.head().slot + 1;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      if (HeldFrom(chain, middle)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  });
}

}  // namespace lean::beacon
