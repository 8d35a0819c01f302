// Counts votes that other protocols would call slashable and that are honest in this one.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_VOTE_STATISTICS_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_VOTE_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "common/containers/attestation.h"

namespace lean::validator {

// Compared with a validator's last kKept votes in this process: nothing is decided by it, so nothing of it is stored.
// Not thread-safe.
class VoteStatistics {
 public:
  static constexpr size_t kKept = 64;

  struct Counts {
    uint64_t repeated_targets = 0;  // votes whose target an earlier one had
    uint64_t surrounding = 0;       // votes that surround an earlier one, or are surrounded by it
  };

  // Votes of this process since it began, this one included.
  const Counts& Add(const Attestation& vote);
  const Counts& counts() const { return counts_; }

 private:
  struct Link {
    uint64_t source_slot = 0;
    uint64_t target_slot = 0;
  };

  absl::flat_hash_map<uint64_t, std::deque<Link>> links_;  // by validator, oldest first, at most kKept each
  Counts counts_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_VOTE_STATISTICS_H_
