// Whether the votes of other beacons' validators disprove our clock.
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

// What the votes say at one moment. The numbers count validators.
struct ClockVerdict {
  bool wrong = false;     // our clock is wrong: nothing may be signed by it
  size_t heard = 0;       // validators whose votes count
  size_t off = 0;         // those of them whose votes name other slots than our clock
  int64_t slots_off = 0;  // median distance of their slots ahead of ours; negative: behind; 0 when none is off
};

// Every validator signs one vote a slot, and names the slot. Our clock is wrong when a third of the registry or more,
// and most of the validators that are heard, name slots more than one from the slot of our clock. A key that signs by a
// wrong clock may be locked for as long as the clock is ahead. Votes with right signatures are counted, never peers,
// since anybody can run many peers.
//
// - Each validator counts once, by its newest vote at the time when it arrived. A vote is old, and no evidence, when
// the
//   validator's vote for that slot or a later one was seen before (SeenVotes). So replaying old votes has no effect
//   while newer ones arrive. A vote for a future slot cannot be made without the validator's key.
// - A late vote is off only when it also arrives more than kLateness after the end of its slot, the time that a slow
//   network or machine may take.
// - The votes of the kWindowSlots slots before the newest arrival count. Silence changes nothing: a beacon that knows
// that
//   its clock is wrong and then loses its peers does not begin to sign.
// - The clock stays wrong until most of the validators that are heard name our slot again. Earlier votes are judged
// anew
//   by the current offset of the clock, so that the verdict changes as soon as the clock is set.
//
// Thread-safe.
class ClockEvidence {
 public:
  static constexpr int64_t kWindowSlots = 8;
  static constexpr std::chrono::milliseconds kLateness{4'000};

  // `seen` outlives it.
  ClockEvidence(const SeenVotes& seen, const SlotClock& slots, size_t validator_count)
      : seen_(seen), slots_(slots), validator_count_(validator_count), newest_votes_(validator_count) {}

  // Whether the signature of a vote that the chain refuses, because its slot is too far from our clock's, should be
  // verified: true for at most two right votes of a validator in a slot's time. A wrong one is its sender's offence.
  bool IsWanted(uint64_t slot, uint64_t validator, SteadyTime now) const;

  // Records a vote with a right signature from a peer.
  void Heard(uint64_t slot, uint64_t validator, SteadyTime came);

  ClockVerdict Judge(int64_t wall_ms, SteadyTime now);

 private:
  struct NewestVote {
    uint64_t slot = 0;
    std::optional<SteadyTime> came;  // nullopt: none has
  };

  std::chrono::milliseconds Window() const;
  // Whether the validator's vote for that slot or a later one was seen.
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
