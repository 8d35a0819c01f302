// The blocks that this client knows to be real.
#ifndef LEAN_VALIDATOR_CLIENT_KNOWN_BLOCKS_H_
#define LEAN_VALIDATOR_CLIENT_KNOWN_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/bytes/bytes.h"
#include "common/containers/checkpoint.h"

namespace lean::validator {

// Blocks that more than one beacon has known: no single one has invented them. Keeps the newest. Not thread-safe.
class KnownBlocks {
 public:
  static constexpr size_t kMaxBlocks = 256;

  void Add(const Checkpoint& block);

  bool Contains(const Root& root) const { return slots_.contains(root); }
  // With its slot.
  bool Contains(const Checkpoint& block) const;

  std::optional<uint64_t> SlotOf(const Root& root) const;

  // The slot of the newest one there ever was; 0 when there was none.
  uint64_t newest_slot() const { return newest_slot_; }

 private:
  std::map<Root, uint64_t> slots_;
  std::set<std::pair<uint64_t, Root>> by_slot_;  // the same blocks
  uint64_t newest_slot_ = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KNOWN_BLOCKS_H_
