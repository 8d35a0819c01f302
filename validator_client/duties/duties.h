// What is done in a slot: propose at interval 0, vote at interval 1. Build, check, reserve, sign, submit.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_DUTIES_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_DUTIES_H_

#include <algorithm>
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

// Proposes blocks and votes. Not thread-safe: belongs to the service's thread. Every duty logs one line with its result
// and ends by its deadline. A block is built within interval 0 and submitted by the middle of interval 1. Votes are
// built within interval 1 and submitted by the end of interval 2, before the chain accepts the votes of the slot. If
// signing takes longer, submission gets one more interval. Another beacon may be chosen while a duty is built. A signed
// item is never built again, only submitted again.
class Duties {
 public:
  // Signs nothing for slots below `first_slot`. All arguments but the logger must outlive this object;
  // beacons.network() must be known.
  Duties(BeaconPool& beacons, Signer& signer, const SlotTimer& timer, uint64_t first_slot, ValidatorMetrics& metrics,
         std::shared_ptr<spdlog::logger> logger);

  // Signs nothing for slots below this one either.
  void BeginAt(uint64_t first_slot) { first_slot_ = std::max(first_slot_, first_slot); }

  // True when one of our keys proposes in the slot.
  bool HasProposal(uint64_t slot) const;

  // Does nothing unless HasProposal(slot).
  void Propose(uint64_t slot);

  // Votes with all keys whose leaf of this slot is unused. The proposer has used its leaf for the vote in the block.
  void Vote(uint64_t slot);

  // Logs how long the duties took so far. Vote calls it every kTimesEverySlots slots.
  void LogTimes() const;

 private:
  uint64_t ProposerOf(uint64_t slot) const;
  absl::Status TryPropose(uint64_t slot, const ValidatorKey& key);
  absl::Status TryVote(uint64_t slot, const std::vector<const ValidatorKey*>& voters);
  // Checks that the key can sign in the slot, before a beacon is asked.
  absl::Status CheckSignable(const ValidatorKey& key, uint64_t slot);
  // The keys that can sign a vote in the slot. Logs why the others cannot.
  std::vector<const ValidatorKey*> VotersOf(const KeySet& keys, uint64_t slot);
  // The votes that were signed. Logs why the others were refused.
  std::vector<SignedAttestation> SignVotes(uint64_t slot, const std::vector<Attestation>& votes);
  // Counts a signed vote in the metrics and in the statistics.
  void CountSigned(const Attestation& vote);
  void Measure(const char* duty, DutyTimes& times, int64_t build_ms, int64_t sign_ms, int64_t submit_ms,
               int64_t done_ms);
  void MeasureSigning(size_t votes, int64_t sign_ms);
  // Lowers the first slot when the clock was ahead at the start and was set back: no earlier process signed after the
  // current slot, `slot`.
  void FollowTimeBack(uint64_t slot);
  // Logs why one vote is not signed or was refused: at most one line a minute for each cause, with the number of lines
  // left out.
  void LogRefused(const std::string& cause, const std::string& event, uint64_t slot, uint64_t validator,
                  const std::string& reason);
  void LogRefusals(uint64_t slot, const std::vector<SignedAttestation>& votes,
                   const std::vector<SubmitResult>& results);
  absl::Status CheckSlotIsNow(uint64_t slot) const;
  // The time until `grace` after the beginning of an interval of the slot.
  BeaconPool::Remaining Until(uint64_t slot, uint32_t interval,
                              std::chrono::milliseconds grace = std::chrono::milliseconds(0)) const;
  // The same for an item that is signed now. If that time has passed because signing took `sign_ms`, returns one
  // interval from now, since a late block or vote still counts and no beacon caused the delay. Logs that.
  BeaconPool::Remaining SubmitUntil(uint64_t slot, uint32_t interval, std::chrono::milliseconds grace, int64_t sign_ms);

  // The time since an interval of the slot began.
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
