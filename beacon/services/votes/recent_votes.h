// Signed votes of the newest slots: what proves to a validator client that somebody else signs with its key.
#ifndef LEAN_BEACON_SERVICES_VOTES_RECENT_VOTES_H_
#define LEAN_BEACON_SERVICES_VOTES_RECENT_VOTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// A vote with its signature, wherever the two are held: alone or in a block. Neither is null.
struct SeenVote {
  std::shared_ptr<const Attestation> vote;
  std::shared_ptr<const SignatureBytes> signature;

  static SeenVote Of(const SignedVotePtr& vote);
};

// Keeps the votes that came in with right signatures, whatever the chain makes of them: of the slot of the clock, the
// one after it (clocks differ) and the two before it, for each validator and slot the first two different ones, which
// is as many as the edge lets in (SignedOnce). Votes and blocks are shared with the chain, which holds the newest vote
// of each validator and the newest blocks anyway. At most kSlots * kMost votes a validator of 3.3 kB each; for 4096
// validators that is 54 MB when no vote is held elsewhere and none equivocates, and 108 MB when all do, and 2 MB of
// tables. Thread-safe.
class RecentVotes {
 public:
  static constexpr int64_t kSlots = 4;
  static constexpr size_t kMost = 2;

  explicit RecentVotes(size_t validator_count) : validator_count_(validator_count) {}

  // The signatures are right. `root` is hash_tree_root of the vote. `current_slot` is negative before genesis. Votes of
  // other slots, and of indices beyond the registry, are ignored.
  void Add(const SignedVotePtr& vote, const Root& root, int64_t current_slot);
  // The votes of its body and its proposer's; as many signatures as the edge asks for.
  void AddBlock(const SignedBlockPtr& block, int64_t current_slot);

  // The validator's newest vote for `from_slot` or a later slot whose root is not in `known`; nullopt: none is kept.
  std::optional<SeenVote> Find(uint64_t validator, uint64_t from_slot, const absl::flat_hash_set<Root>& known) const;

  // Whether a vote of the validator for the slot is kept.
  bool Has(uint64_t validator, uint64_t slot) const;

 private:
  struct Entry {
    Root root;
    SeenVote seen;  // null: free
  };
  using Entries = std::array<Entry, kMost>;

  void AddLocked(SeenVote seen, const Root* root, int64_t current_slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t validator_count_;
  mutable Mutex mutex_;
  std::map<uint64_t, std::vector<Entries>> slots_ ABSL_GUARDED_BY(mutex_);  // by slot, then validator
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_VOTES_RECENT_VOTES_H_
