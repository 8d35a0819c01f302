// A block with its ancestors, from which its state can be computed.
#ifndef LEAN_BEACON_CHAIN_BRANCH_H_
#define LEAN_BEACON_CHAIN_BRANCH_H_

#include <vector>

#include "common/containers/containers.h"

namespace lean::beacon {

// A value; cheap to copy, readable off any lock. The ancestors of the block are those of `trunk` below `fork_slot`,
// then `side`.
struct Branch {
  Checkpoint block;
  HistoricalBlockHashes trunk;   // by slot; of another block that shares the older ancestors
  uint64_t fork_slot = 0;        // below the block's own slot, or equal to it
  std::vector<Checkpoint> side;  // ancestors from fork_slot on, newest first
};

// The historical roots of the block's post-state, by slot, zero for empty slots: one for each slot below the block's.
// Shares the equal part with `trunk`.
HistoricalBlockHashes HistoryOf(const Branch& branch);

// The root of the block that this is the post-state of.
Root BlockRootOf(const State& post_state);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_BRANCH_H_
