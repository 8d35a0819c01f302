#include "beacon/network/requests/asked_blocks.h"

#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "beacon/network/peers/peer_blocks.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

absl::Status CheckRoots(const std::vector<Root>& roots, const std::vector<SignedBlockPtr>& blocks) {
  std::set<Root> asked(roots.begin(), roots.end());
  for (const SignedBlockPtr& block : blocks) {
    if (asked.erase(ssz::HashTreeRoot(block->message.block)) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the block at slot ", block->message.block.slot, " was not asked for"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSlots(const AskedBlocks& asked, const std::vector<SignedBlockPtr>& blocks) {
  uint64_t next = asked.first_slot;
  for (const SignedBlockPtr& block : blocks) {
    const uint64_t slot = block->message.block.slot;
    if (slot < next || slot - asked.first_slot >= asked.count) {
      return absl::InvalidArgumentError(absl::StrCat("a block at slot ", slot, ", asked from ", asked.first_slot,
                                                     " for ", asked.count, ", expected from ", next));
    }
    if (slot == std::numeric_limits<uint64_t>::max()) return absl::InvalidArgumentError("a block at the last slot");
    next = slot + 1;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRootsAsked(size_t roots) {
  if (roots >= 1 && roots <= kMaxRootsAsked) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(roots, " roots, expected 1 to ", kMaxRootsAsked));
}

absl::Status CheckSlotsAsked(uint64_t slots) {
  if (slots >= 1 && slots <= kMaxSlotsAsked) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(slots, " slots, expected 1 to ", kMaxSlotsAsked));
}

absl::Status CheckAnswered(const AskedBlocks& asked, const std::vector<SignedBlockPtr>& blocks) {
  const uint64_t most = asked.by_root() ? asked.roots.size() : asked.count;
  if (blocks.size() > most) {
    return absl::InvalidArgumentError(absl::StrCat(blocks.size(), " blocks, at most ", most));
  }
  return asked.by_root() ? CheckRoots(asked.roots, blocks) : CheckSlots(asked, blocks);
}

}  // namespace lean::beacon
