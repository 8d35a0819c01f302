// Blocks and votes that cannot be imported yet: what they build on is not here, or their slot has not come.
#ifndef LEAN_BEACON_SERVICES_DEPENDENCY_QUEUE_H_
#define LEAN_BEACON_SERVICES_DEPENDENCY_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "beacon/chain/chain_types.h"
#include "beacon/services/submit.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

struct WaitingItem {
  std::variant<SignedBlockPtr, SignedVotePtr> content;
  Root root;  // identifies it: of the block; of a vote, hash_tree_root(Attestation)
  Origin origin;

  bool is_block() const { return std::holds_alternative<SignedBlockPtr>(content); }
  // In memory, about.
  size_t bytes() const;
};

// What an item waits for: a block's import, or the begin of a slot.
using Dependency = std::variant<Root, int64_t>;

struct DependencyLimits {
  size_t max_items = 16'384;                     // four slots of the largest registry's votes
  size_t max_bytes = size_t{128} * 1024 * 1024;  // nine of the largest blocks
  int64_t expiry_slots = 8;                      // an item is dropped this many slots after it came
};

// Bounded in items and bytes. When it is full, a new item displaces the newest ones of whichever origin holds most,
// unless that is its own: so an origin that floods the queue cannot push out what others left there, and cannot keep
// others from leaving something. A copy of a waiting item, from another origin, is not held twice: it is charged to
// whichever of the two holds less.
// Deterministic; thread compatible.
class DependencyQueue {
 public:
  enum class AddResult { kAdded, kAlreadyWaiting, kFull };

  explicit DependencyQueue(const DependencyLimits& limits) : limits_(limits) {}

  // `slot` is the current one. Displaced items are appended to `displaced`; with kFull there are none.
  AddResult Add(WaitingItem item, const Dependency& dependency, int64_t slot, std::vector<WaitingItem>* displaced);

  // Puts back, for another dependency, an item that Take... has handed out: it keeps its place and its age.
  struct Taken {
    WaitingItem item;
    uint64_t order = 0;  // of arrival
    int64_t arrival_slot = 0;
  };
  AddResult AddBack(Taken taken, const Dependency& dependency, std::vector<WaitingItem>* displaced);

  // Takes out what waits for this block, or for any slot up to this one; in order of arrival.
  std::vector<Taken> TakeForBlock(const Root& root);
  std::vector<Taken> TakeForSlot(int64_t slot);
  // Takes out what has waited too long.
  std::vector<WaitingItem> TakeExpired(int64_t slot);

  // The blocks that something waits for, those waited for longest first; at most `max`. For a fetcher and for logs.
  bool IsWaitingForBlock(const Root& root) const { return by_root_.contains(root); }

  size_t blocks() const { return blocks_; }
  size_t votes() const { return entries_.size() - blocks_; }
  size_t bytes() const { return bytes_; }
  size_t items_of(const Origin& origin) const;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_DEPENDENCY_QUEUE_H_
