// Chain data as people read it (proto/lean/v1/beacon.proto), with roots and keys in hex, and the blocks that requests
// name.
#ifndef LEAN_BEACON_RPC_VIEWS_H_
#define LEAN_BEACON_RPC_VIEWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/rpc/served_chain.h"
#include "beacon/services/events/vote_groups.h"
#include "beacon/sync/sync_status.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "lean/v1/beacon.pb.h"

namespace lean::beacon {

void View(const Checkpoint& checkpoint, v1::CheckpointView& view);
void View(const Attestation& vote, v1::AttestationView& view);
void View(const SyncStatus& sync, v1::SyncView& view);
void View(const VoteGroup& votes, v1::VoteGroup& view);

// Ascending indices as ranges: "0-3,7".
std::string IndexRanges(const std::vector<uint64_t>& indices);

// MALFORMED_REQUEST: not 32 bytes of hex. `field` names the text in the error.
absl::StatusOr<Root> RootFromText(absl::string_view text, absl::string_view field);

// Handles of one block; they stay valid. A block that is no longer in memory is read from the disk, off the chain's
// lock.
struct FoundBlock {
  Root root;
  BlockPtr block;               // never null
  SignedBlockPtr signed_block;  // null for genesis, and for an anchor without a data folder
  StatePtr state;               // null when the post-state is no longer held
  bool canonical = false;
  bool finalized = false;
};

// MALFORMED_REQUEST: the request names no block, or names it badly. BLOCK_NOT_FOUND: no such block is held.
absl::StatusOr<FoundBlock> FindBlock(const ServedChain& served, bool named, const v1::BlockId& id);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_VIEWS_H_
