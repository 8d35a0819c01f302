// What is done in a slot: propose at interval 0, vote at interval 1. Build, check, reserve, sign, submit.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_DUTIES_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_DUTIES_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/duties/duty_statistics.h"
#include "validator_client/duties/slot_timer.h"
#include "validator_client/duties/validator_metrics.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

inline constexpr uint64_t kTimesEverySlots = 256;

// Not thread-safe: belongs to the service's thread. Every duty leaves one line in the log, whatever becomes of it, and
// ends by its deadline: a block is built within interval 0 and submitted by the middle of interval 1, votes are built
// within interval 1 and submitted by the end of interval 2, before the chain accepts the votes of the slot. What took
// longer to sign is submitted within an interval. The beacon may change while a duty is built; what is signed is never
// built anew, only handed in again.
class Duties {
 public:
  // Nothing is signed for slots below `first_slot`. All but the logger must outlive this object; beacons.network()
  // is known.
  Duties(BeaconPool& beacons, Signer& signer, const SlotTimer& timer, uint64_t first_slot, ValidatorMetrics& metrics,
         std::shared_ptr<spdlog::logger> logger);

  // Whether there is something to do for us, so that a beacon in doubt is worth another look first.
  bool HasProposal(uint64_t slot) const;

  // Does nothing unless HasProposal(slot).
  void Propose(uint64_t slot);

  // With every key of ours whose leaf of this slot is unused: that of a proposer has signed its vote inside the block.
  void Vote(uint64_t slot);

  // How long the duties took so far, into the log; Vote does so once every kTimesEverySlots.
  void LogTimes() const;

 private:
  uint64_t ProposerOf(uint64_t slot) const;
  absl::Status TryPropose(uint64_t slot, const ValidatorKey& key);
  absl::Status TryVote(uint64_t slot, const std::vector<const ValidatorKey*>& voters);
  // Whether a key could sign in the slot, so that no beacon is asked in vain.
  absl::Status CheckSignable(const ValidatorKey& key, uint64_t slot);
  // Keys that still have something to sign; the refusals of the others are logged.
  std::vector<const ValidatorKey*> VotersOf(const KeySet& keys, uint64_t slot);
  // Those that could be signed; the refusals of the others are logged.
  std::vector<SignedAttestation> SignVotes(uint64_t slot, const std::vector<Attestation>& votes);
  // Into metrics and the statistics of votes.
  void CountSigned(const Attestation& vote);
  void Measure(const char* duty, DutyTimes& times, int64_t build_ms, int64_t sign_ms, int64_t submit_ms,
               int64_t done_ms);
  // A clock that was ahead at the start has put the first slot too far: no earlier process signed after `slot`, which
  // is now.
  void FollowTimeBack(uint64_t slot);
  // What keeps one vote back or out: one line a minute for each cause, with the count of those left out.
  void LogRefused(const std::string& cause, const std::string& event, uint64_t slot, uint64_t validator,
                  const std::string& reason);
  void LogRefusals(uint64_t slot, const std::vector<SignedAttestation>& votes,
                   const std::vector<SubmitResult>& results);
  absl::Status CheckSlotIsNow(uint64_t slot) const;
  // What is left until an interval of the slot begins, and `grace` longer.
  BeaconPool::Remaining Until(uint64_t slot, uint32_t interval,
                              std::chrono::milliseconds grace = std::chrono::milliseconds(0)) const;
  // The same for what is signed now. When that time has passed while signing took `sign_ms`, an interval from now: a
  // late block or vote still counts for the chain, and no beacon is to blame. Logs that.
  BeaconPool::Remaining SubmitUntil(uint64_t slot, uint32_t interval, std::chrono::milliseconds grace, int64_t sign_ms);

  // Since an interval of the slot began.
  int64_t SinceMs(uint64_t slot, uint32_t interval) const;

  BeaconPool& beacons_;
  Signer& signer_;
  const SlotTimer& timer_;
  uint64_t first_slot_;
  ValidatorMetrics& metrics_;
  VoteStatistics statistics_;
  LineLimit lines_;
  std::shared_ptr<spdlog::logger> logger_;
  DutyTimes block_times_{"block"};
  DutyTimes votes_times_{"votes"};
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_DUTIES_H_
