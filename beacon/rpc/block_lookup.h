// Blocks as requests name them.
#ifndef LEAN_BEACON_RPC_BLOCK_LOOKUP_H_
#define LEAN_BEACON_RPC_BLOCK_LOOKUP_H_

#include "absl/status/statusor.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/rpc/served_chain.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

// Handles of one block, good for ever. What the chain has let go of is read from the disk, off its lock.
struct FoundBlock {
  Root root;
  BlockPtr block;               // never null
  SignedBlockPtr signed_block;  // null for genesis, and for an anchor without a data folder
  StatePtr state;               // null when the post-state is not held any more
  bool canonical = false;
  bool finalized = false;
};

// MALFORMED_REQUEST: no block is named, or badly. BLOCK_NOT_FOUND: none is held under that name.
absl::StatusOr<FoundBlock> FindBlock(const ServedChain& served, bool named, const v1::BlockId& id);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_BLOCK_LOOKUP_H_
