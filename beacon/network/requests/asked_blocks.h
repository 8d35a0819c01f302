// Which blocks a request asks for, and whether an answer holds only those.
#ifndef LEAN_BEACON_NETWORK_REQUESTS_ASKED_BLOCKS_H_
#define LEAN_BEACON_NETWORK_REQUESTS_ASKED_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

// By their roots, or by their slots: first_slot <= slot < first_slot + count.
struct AskedBlocks {
  std::vector<Root> roots;  // empty: by slots
  uint64_t first_slot = 0;
  uint64_t count = 0;

  bool by_root() const { return !roots.empty(); }
};

// What one request may ask a peer for. InvalidArgument: nothing, or more than kMaxRootsAsked or kMaxSlotsAsked.
absl::Status CheckRootsAsked(size_t roots);
absl::Status CheckSlotsAsked(uint64_t slots);

// InvalidArgument: more blocks than were asked for, one that was not asked for or that came twice, or slots that do not
// ascend.
absl::Status CheckAnswered(const AskedBlocks& asked, const std::vector<SignedBlockPtr>& blocks);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_REQUESTS_ASKED_BLOCKS_H_
