// What the votes of other beacons' validators say about our clock.
#ifndef LEAN_BEACON_SERVICES_VOTES_CLOCK_EVIDENCE_H_
#define LEAN_BEACON_SERVICES_VOTES_CLOCK_EVIDENCE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/services/votes/seen_votes.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/mutex.h"

namespace lean::beacon {

// What the votes say at a moment. Validators are counted.
struct ClockVerdict {
  bool wrong = false;     // our clock is: nothing may be signed by it
  size_t heard = 0;       // validators whose votes count
  size_t off = 0;         // of them, those whose votes name other slots than our clock
  int64_t slots_off = 0;  // the median of how far theirs are ahead of ours; negative: behind. 0 when none is off
};

// Every validator signs one vote a slot, and names the slot. When a third of the registry or more, and most of those
// that are heard, name slots more than one from the slot of our clock, then our clock is wrong, and a key that signs by
// it may be locked for as long as it is ahead. Validators are counted, by votes whose signatures are right; never
// peers, of whom anybody can have many.
//
// - Of each validator its newest vote counts, as of when it came. A vote counts as old, and is no evidence, when the
//   validator's vote for that slot or a later one has been seen before, in gossip or in a block (SeenVotes): whoever
//   sends old votes again gets nothing by it, as long as newer ones come from anybody. A vote for a future slot cannot
//   be had without its key.
// - A vote that comes late is off only when it is kLateness past the end of its slot as well: that long a network or a
// busy
//   machine may take.
// - The votes that count are those of the kWindowSlots slots before the newest one that came. Silence changes nothing:
// who
//   heard that its clock is wrong and then loses its links does not begin to sign.
// - The clock is wrong until most of those that are heard name our slot again. Votes that came before are judged anew
// by
//   where the clock is now, reckoned back by the steady clock: when the clock is set, the verdict changes at once.
//
// Thread-safe.
class ClockEvidence {
 public:
  static constexpr int64_t kWindowSlots = 8;
  static constexpr std::chrono::milliseconds kLateness{4'000};

  // `seen` outlives it.
  ClockEvidence(const SeenVotes& seen, const SlotClock& slots, size_t validator_count)
      : seen_(seen), slots_(slots), validator_count_(validator_count), newest_votes_(validator_count) {}

  // Whether a vote that the chain does not take, since its slot is too far from our clock's, is worth the check of its
  // signature: true for at most two right ones of a validator in a slot's time. Wrong ones are held against their
  // sender.
  bool IsWanted(uint64_t slot, uint64_t validator, SteadyTime now) const;

  // A vote whose signature is right came from a peer.
  void Heard(uint64_t slot, uint64_t validator, SteadyTime came);

  ClockVerdict Judge(int64_t wall_ms, SteadyTime now);

 private:
  struct NewestVote {
    uint64_t slot = 0;
    std::optional<SteadyTime> came;  // nullopt: none has
  };

  std::chrono::milliseconds Window() const;
  // Whether the validator's vote for that slot or a later one has been seen.
  bool IsOld(uint64_t slot, uint64_t validator) const;
  bool IsNewerLocked(uint64_t slot, const NewestVote& newest, SteadyTime now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SeenVotes& seen_;
  const SlotClock slots_;
  const size_t validator_count_;
  mutable Mutex mutex_;
  std::vector<NewestVote> newest_votes_ ABSL_GUARDED_BY(mutex_);  // by validator
  SteadyTime last_came_ ABSL_GUARDED_BY(mutex_);
  bool wrong_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_VOTES_CLOCK_EVIDENCE_H_
