// The blocks that this client knows to be real.
#ifndef LEAN_VALIDATOR_CLIENT_KNOWN_BLOCKS_H_
#define LEAN_VALIDATOR_CLIENT_KNOWN_BLOCKS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/bytes/bytes.h"
#include "common/containers/checkpoint.h"

namespace lean::validator {

// Blocks that more than one beacon has known: no single one has invented them; and, for a while, blocks that the only
// one there was to ask has named. Keeps the newest. Not thread-safe.
class KnownBlocks {
 public:
  static constexpr size_t kMaxBlocks = 256;

  // Of more than one beacon.
  void Add(const Checkpoint& block);
  // Of a single one. Does nothing when the block is known.
  void AddUnconfirmed(const Checkpoint& block);
  // Forgets those that were never added by more than one.
  void ForgetUnconfirmed();

  // The slot of the newest unconfirmed one; nullopt: there is none.
  std::optional<uint64_t> newest_unconfirmed() const;

  bool Contains(const Root& root) const { return slots_.contains(root); }
  // With its slot.
  bool Contains(const Checkpoint& block) const;

  std::optional<uint64_t> SlotOf(const Root& root) const;

  // The slot of the newest one there ever was, those that were forgotten excepted; 0 when there was none.
  uint64_t newest_slot() const { return std::max(newest_confirmed_, newest_unconfirmed().value_or(0)); }

 private:
  using BySlot = std::set<std::pair<uint64_t, Root>>;

  void Insert(const Checkpoint& block);

  std::map<Root, uint64_t> slots_;
  BySlot by_slot_;      // the same blocks
  BySlot unconfirmed_;  // those of them that one beacon alone has named
  uint64_t newest_confirmed_ = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KNOWN_BLOCKS_H_
