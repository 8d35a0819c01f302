// Votes of the newest slots: whose votes were seen, for people who watch the network, and the signed votes themselves,
// for validator clients that look for another signer of their key.
#ifndef LEAN_BEACON_SERVICES_VOTES_SEEN_VOTES_H_
#define LEAN_BEACON_SERVICES_VOTES_SEEN_VOTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "beacon/chain/chain_types.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"

namespace lean::beacon {

// Which validators have voted for each of the last kSlots slots, and the latest slot that each has voted for.
// Thread-safe.
class SeenVotes {
 public:
  // For 4096 validators 32 KiB in all.
  static constexpr size_t kSlots = 64;

  explicit SeenVotes(size_t validator_count) : validator_count_(validator_count), latest_(validator_count) {}

  // Records a validator's vote for `slot`, alone or in a block. Ignores indices beyond the registry, and slots more
  // than one ahead of `current_slot`, the slot by our clock: a vote in an old block may name any slot. Forgets what was
  // recorded while the clock was further ahead.
  void Add(uint64_t slot, uint64_t validator, int64_t current_slot);

  // Of the slots.
  metrics::Footprint footprint() const;

  // How many validators have voted for `slot`.
  uint64_t Count(uint64_t slot) const;

  // The validators that have not voted for `slot`, in ascending order; at most `limit`.
  std::vector<uint64_t> Missing(uint64_t slot, size_t limit) const;

  struct SlotVoters {
    uint64_t slot = 0;
    std::vector<bool> voted;  // by validator
    uint64_t count = 0;
  };
  // Who has voted for each of the newest slots that somebody has voted for, in ascending order of slots.
  std::vector<SlotVoters> Voters() const;

  // The highest slot that each of these validators has voted for; nullopt: none, or beyond the registry.
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

// A vote with its signature, held alone or as part of a block. Neither pointer is null.
struct SeenVote {
  std::shared_ptr<const Attestation> vote;
  std::shared_ptr<const SignatureBytes> signature;

  static SeenVote Of(const SignedVotePtr& vote);
};

// Keeps votes whose signatures are right, even when the chain refuses them. Covers the slot of the clock, the next one,
// since clocks differ, and the two before it; for each validator and slot the first two different votes, which is as
// many as SignedOnce lets in. Votes and blocks of the chain are shared with it. At most kSlots * kMost votes of 3.3 kB
// for each validator: for 4096 validators 54 MB when none equivocates and 108 MB when all do, plus 2 MB of tables.
// Thread-safe.
class RecentVotes {
 public:
  static constexpr int64_t kSlots = 4;
  static constexpr size_t kMost = 2;

  explicit RecentVotes(size_t validator_count) : validator_count_(validator_count) {}

  // Records a vote whose signature is right. `root` is its hash_tree_root; `current_slot` is negative before genesis.
  // Ignores votes of other slots and of indices beyond the registry.
  void Add(const SignedVotePtr& vote, const Root& root, int64_t current_slot);
  // Records the votes of a block's body and its proposer's vote. The block has a signature for each. `shared`: the
  // chain holds the block. Otherwise its votes are copied, because a vote would keep the whole block in memory.
  void AddBlock(const SignedBlockPtr& block, bool shared, int64_t current_slot);

  // The validator's newest vote for `from_slot` or a later slot whose root is not in `known`; nullopt: none is kept.
  std::optional<SeenVote> Find(uint64_t validator, uint64_t from_slot, const absl::flat_hash_set<Root>& known) const;

  // Of the votes, with the tables.
  metrics::Footprint footprint() const;

  // Whether a vote of the validator for the slot is kept.
  bool Has(uint64_t validator, uint64_t slot) const;

 private:
  struct Entry {
    Root root;
    SeenVote seen;  // null pointers: unused
  };
  using Entries = std::array<Entry, kMost>;
  struct Slot {
    std::vector<Entries> validators;
    size_t votes = 0;
  };

  // `root`: of the vote; null: it is computed. `shared`: `seen` may be kept as it is.
  void AddLocked(SeenVote seen, const Root* root, bool shared, int64_t current_slot)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t validator_count_;
  mutable Mutex mutex_;
  std::map<uint64_t, Slot> slots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_VOTES_SEEN_VOTES_H_
