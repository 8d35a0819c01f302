// Whose votes have been seen, slot by slot, for people who watch the network.
#ifndef LEAN_BEACON_SERVICES_VOTES_SEEN_VOTES_H_
#define LEAN_BEACON_SERVICES_VOTES_SEEN_VOTES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/span.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// Thread-safe. Remembers the newest few slots: a vote that comes later than that is not counted. The latest vote of
// each validator is remembered always.
class SeenVotes {
 public:
  static constexpr size_t kSlots = 8;

  explicit SeenVotes(size_t validator_count) : validator_count_(validator_count), latest_(validator_count) {}

  // A validator's vote for `slot` came in, alone or in a block. Indices beyond the registry are ignored, and so are
  // slots more than one beyond `current_slot`, the slot by our clock: in the body of an old block a vote may name any
  // slot. What was seen while the clock was further ahead is forgotten.
  void Add(uint64_t slot, uint64_t validator, int64_t current_slot);

  // How many distinct validators' votes for `slot` were seen.
  uint64_t Count(uint64_t slot) const;

  // Ascending indices of those whose vote for `slot` was not; at most `limit`.
  std::vector<uint64_t> Missing(uint64_t slot, size_t limit) const;

  // The highest slot that each of these validators was seen to vote for; nullopt: none, or beyond the registry.
  std::vector<std::optional<uint64_t>> Latest(absl::Span<const uint64_t> validators) const;

 private:
  struct Seen {
    std::vector<bool> validators;
    uint64_t count = 0;
  };

  const size_t validator_count_;
  mutable Mutex mutex_;
  std::map<uint64_t, Seen> slots_ ABSL_GUARDED_BY(mutex_);  // at most kSlots
  std::vector<std::optional<uint64_t>> latest_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_VOTES_SEEN_VOTES_H_
