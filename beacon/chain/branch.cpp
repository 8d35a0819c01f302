#include "beacon/chain/branch.h"

#include "common/ssz/ssz.h"

namespace lean::beacon {

HistoricalBlockHashes HistoryOf(const Branch& branch) {
  if (branch.side.empty() && branch.trunk.size() == branch.block.slot) return branch.trunk;
  std::vector<Root> roots = branch.trunk.ToVector();
  roots.resize(branch.fork_slot);
  roots.resize(branch.block.slot);
  for (const Checkpoint& ancestor : branch.side) roots[ancestor.slot] = ancestor.root;
  HistoricalBlockHashes history = branch.trunk;
  // No block has a slot beyond the limit of the list; a branch with such a slot has no history.
  return history.Assign(roots).ok() ? history : HistoricalBlockHashes();
}

Root BlockRootOf(const State& post_state) {
  BlockHeader header = post_state.latest_block_header;
  if (header.state_root.IsZero()) header.state_root = ssz::HashTreeRoot(post_state);
  return ssz::HashTreeRoot(header);
}

}  // namespace lean::beacon
