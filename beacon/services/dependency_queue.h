// Blocks and votes that cannot be imported yet, because a block that they need is missing or their slot has not begun.
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
  // The block's root, or hash_tree_root(Attestation) of a vote. It identifies a vote. Two blocks of one root may differ
  // in the proposer's vote, which is not part of it.
  Root root;
  Origin origin;

  bool is_block() const { return std::holds_alternative<SignedBlockPtr>(content); }
  uint64_t slot() const;
  size_t bytes() const;  // as of BytesOf
};

// What an item waits for: the import of a block, or the start of a slot.
using Dependency = std::variant<Root, int64_t>;

struct DependencyLimits {
  size_t max_items = 16'384;                     // four slots of the largest registry's votes
  size_t max_bytes = size_t{128} * 1024 * 1024;  // nine of the largest blocks
  int64_t expiry_slots = 8;                      // an item is dropped after it has waited this long
};

// Bounded in items and bytes. When the queue is full, a new item displaces the newest items of the origin that holds
// most, provided that this origin holds more than the new item's origin would. So an origin that floods the queue can
// neither displace other origins' items nor keep them out. The same item from two origins is held once, and charged to
// the origin that holds less. Deterministic; thread compatible.
class DependencyQueue {
 public:
  enum class AddResult { kAdded, kAlreadyWaiting, kFull };

  // An item that was taken out, with what AddBack needs.
  struct Taken {
    WaitingItem item;
    uint64_t order = 0;        // of arrival
    int64_t arrival_slot = 0;  // the slot in which it arrived
  };

  explicit DependencyQueue(const DependencyLimits& limits) : limits_(limits) {}

  // `slot` is the current slot, which only SetTimeBack may lower. Appends displaced items to `displaced`; with kFull
  // there are none.
  AddResult Add(WaitingItem item, const Dependency& dependency, int64_t slot, std::vector<WaitingItem>* displaced);

  // Puts back an item that now waits for something else. It keeps its place, and its age as `taken` says.
  AddResult AddBack(Taken taken, const Dependency& dependency, std::vector<WaitingItem>* displaced);

  // Take out what waits for this block, or for any slot up to this one, in order of arrival.
  std::vector<Taken> TakeForBlock(const Root& root);
  std::vector<Taken> TakeForSlot(int64_t slot);

  // Takes out what has waited too long, in order of arrival.
  std::vector<Taken> TakeExpired(int64_t slot);

  // Lowers the current slot to `slot`. Items that arrived in later slots count as arrived in this one.
  void SetTimeBack(int64_t slot);

  // Whether an item of this root waits.
  bool Contains(const Root& root) const { return by_root_.contains(root); }

  size_t blocks() const { return blocks_; }
  size_t votes() const { return entries_.size() - blocks_; }
  size_t bytes() const { return bytes_; }
  size_t block_bytes() const { return block_bytes_; }  // of these

 private:
  using Order = uint64_t;
  struct Entry {
    WaitingItem item;
    Dependency dependency;
    int64_t arrival_slot = 0;
    size_t bytes = 0;
  };
  struct Share {
    std::set<Order> orders;
    size_t bytes = 0;
  };

  std::optional<Order> FindSame(const WaitingItem& item) const;
  AddResult Insert(Taken taken, const Dependency& dependency, std::vector<WaitingItem>* displaced);
  // The items to displace so that an item of `bytes` from `origin` fits; nullopt: it may not displace enough.
  std::optional<std::vector<Order>> FindRoom(const Origin& origin, size_t bytes) const;
  Taken Remove(Order order);
  void Charge(Order order, const Origin& origin, size_t bytes);
  void Discharge(Order order, const Origin& origin, size_t bytes);
  void ChargeToLesser(Order order, const Origin& origin);

  DependencyLimits limits_;
  Order next_order_ = 0;
  std::map<Order, Entry> entries_;  // in order of arrival, so also of arrival_slot, or nearly so after AddBack
  absl::flat_hash_map<Root, std::set<Order>> by_root_;
  absl::flat_hash_map<Root, std::set<Order>> by_block_;
  std::map<int64_t, std::set<Order>> by_slot_;
  std::map<Origin, Share> shares_;  // of origins that hold items
  size_t blocks_ = 0;
  size_t bytes_ = 0;
  size_t block_bytes_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_DEPENDENCY_QUEUE_H_
