// Uses several beacons like one: chooses which to ask for a duty, which answer to believe, and where to submit results.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_POOL_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_POOL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/log/logger.h"
#include "validator_client/beacons/beacon_calls.h"
#include "validator_client/beacons/beacon_client.h"
#include "validator_client/beacons/beacon_selection.h"
#include "validator_client/beacons/beacon_session.h"
#include "validator_client/beacons/block_witnesses.h"

namespace lean::validator {

// A vote or block that passed all checks, and the index of the beacon that built it.
struct BuiltVote {
  AttestationData data;
  size_t builder = 0;
};
struct BuiltBlock {
  BuiltBlockAnswer answer;
  size_t builder = 0;
};

// The answer of one beacon to GetLiveness.
struct LivenessAnswer {
  std::string beacon;  // its name
  absl::StatusOr<std::vector<Liveness>> validators;
};

// Has a session for each beacon, in the operator's order. Probe learns their health in the quiet part of a slot; a duty
// then uses the best beacons (beacon_selection.h). A beacon may lie: what one of several beacons says about blocks
// counts only when another beacon or the blocks that this client knows confirm it (block_witnesses.h). Each duty makes
// a bounded number of calls to each beacon, independent of the number of validators. Not thread-safe: belongs to the
// service's thread.
class BeaconPool {
 public:
  using Timeout = BeaconClient::Timeout;
  // Returns the time that is left of a stage of a duty.
  using Remaining = std::function<Timeout()>;
  // Runs a task for one beacon, at once or on a thread that other beacons do not use. False: the task does not run.
  using RunTask = std::function<bool(size_t beacon, std::function<void()> task)>;
  // Check what a beacon has built, without the other beacons, and the time in its answer.
  using CheckVote = std::function<absl::Status(const BeaconSession& beacon, const VoteDataAnswer& answer)>;
  using CheckBlock = std::function<absl::Status(const BeaconSession& beacon, const BuiltBlockAnswer& answer)>;

  // `clients` (at least one) and what `run` uses must outlive the pool. `broadcast`: results go to all beacons.
  BeaconPool(const std::vector<BeaconClient*>& clients, const ExpectedNetwork& expected,
             const std::vector<RegisteredKey>& keys, bool broadcast, RunTask run,
             std::shared_ptr<spdlog::logger> logger);

  // Asks all beacons at once for duties of `slot`, and judges their answers. Returns ready(), or InvalidArgument when
  // all beacons say that their registry lacks a key of ours. If the operator gave no network, takes the one that most
  // beacons name; of equally many, the one of the first beacon in order.
  absl::Status Probe(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms);

  // Sets our keys, which every beacon's registry must have.
  void SetKeys(const std::vector<RegisteredKey>& keys);

  // Checks that the network's registry has a key that is not one of ours yet; the answer of one good beacon is enough.
  // InvalidArgument: all beacons that answered say that it is missing. Other errors: no beacon answered.
  absl::Status CheckRegistered(const RegisteredKey& key, Timeout timeout);

  // Call it after a probe. Looks again for blocks that only one beacon has named or built in earlier duties. Demotes
  // the beacon when no other one has its block and two beacons whose heads have reached its slot lack it. Makes no
  // calls when there is no such block.
  void SettleClaims(Timeout timeout);

  // OK: at least one beacon can be used.
  absl::Status ready() const;
  const std::optional<NetworkIdentity>& network() const { return sessions_.front()->network(); }
  // The clock offset on which most beacons of our network agree within kClockWarning, by the last probe. Of equally
  // many, that of the first beacon in order.
  std::optional<int64_t> clock_offset_ms() const;
  size_t size() const { return sessions_.size(); }
  // The beacon that a duty would use first; nullopt when none is good.
  std::optional<size_t> best() const;
  const BeaconSession& session(size_t beacon) const { return *sessions_[beacon]; }

  // The good beacons, best first; if there are none, those in reserve.
  std::vector<BeaconSession*> Usable();

  // Asks all usable beacons at once; ends within `timeout`. One answer for each, best beacon first.
  std::vector<LivenessAnswer> GetLiveness(const LivenessQuery& query, Timeout timeout);

  // Gets the vote of the slot from all good beacons at once. Chooses a vote that two of them have built, otherwise one
  // whose blocks are all corroborated, otherwise, if no other beacon says anything about its blocks, that of the best
  // beacon. Asks the beacons in reserve if this gives no vote. Never returns a vote that two others contradict. Returns
  // the error of a single beacon unchanged, and joins those of several.
  absl::StatusOr<BuiltVote> BuildVote(uint64_t slot, const Remaining& remaining, const CheckVote& check);

  // Gets the block of the slot from one beacon after the other, until the parent and the checkpoints of a block are
  // corroborated. Otherwise returns the first block that fewer than two others contradict. A single beacon is asked for
  // the header only; with several, the block is here whole, so that it survives its builder. Errors as above.
  absl::StatusOr<BuiltBlock> BuildBlock(uint64_t slot, uint64_t proposer_index, const Remaining& remaining,
                                        const CheckBlock& check);

  // Submits what is signed to the beacon that built it and to another one at once, so that no single beacon can
  // suppress it, then to the others one by one until one takes all of it. With broadcast: to all beacons of our network
  // at once, including those that lag. Returns as soon as a beacon has taken all of it; the other calls continue. OK:
  // the best result for each item.
  // A beacon that keeps the block gets the signature only, and the block if it does not have it any more.
  absl::StatusOr<SubmitResult> SubmitBlock(BuiltBlock block, const SignatureBytes& signature,
                                           const Remaining& remaining);
  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(std::vector<SignedAttestation> votes, size_t builder,
                                                        const Remaining& remaining);

  // Notes that a call of a duty failed: that beacon is not used before its next successful probe.
  void MarkFailed(BeaconSession& beacon, const absl::Status& status);

 private:
  using Results = absl::StatusOr<std::vector<SubmitResult>>;
  using SubmitCall = std::function<Results(BeaconClient& client, Timeout timeout)>;
  // The slots of the blocks that one beacon was asked about.
  using Slots = std::map<Root, absl::StatusOr<uint64_t>>;

  BeaconOrder Order() const;
  std::vector<BeaconSession::Reading> AskAll(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms);
  void ReportChoice();
  // The error of a duty for which no beacon gave a result. Never OK.
  absl::Status Failure(const BeaconErrors& errors) const;

  // One round of BuildVote with some of the beacons, which have `timeout` to answer.
  std::optional<BuiltVote> BuildVoteWith(const std::vector<size_t>& beacons, uint64_t slot, Timeout timeout,
                                         size_t max_denials, const Remaining& remaining, const CheckVote& check,
                                         BeaconErrors& errors);
  // The answers that pass the check, in the order of the beacons.
  std::vector<VoteCandidate> AskForVotes(const std::vector<size_t>& beacons, uint64_t slot, Timeout timeout,
                                         const CheckVote& check, BeaconErrors& errors);
  // True when there are two beacons and only this one is ready.
  bool IsAloneOfTwo(size_t beacon) const;
  // Removes the blocks that one of two beacons named while the other was away, once the other one has reached their
  // slot or kDisprovedSlots have passed.
  void ForgetWhatOneSaid();
  // The candidate to use; nullopt when none is good enough.
  std::optional<VoteCandidate> ChooseVote(const std::vector<VoteCandidate>& candidates, size_t max_denials,
                                          const Remaining& remaining);
  // How many others contradict the parent or the checkpoints of a block. nullopt: all of them are corroborated.
  std::optional<size_t> DenialsOf(const BuiltBlock& block, const Remaining& remaining);
  // True when it counts as a denial that this beacon lacks the block.
  using MayDeny = std::function<bool(const BeaconSession& beacon, const Root& block)>;
  // Asks all beacons that are not demoted, at once, for the blocks about which they have not said anything yet.
  void AskForBlocks(const std::vector<Root>& blocks, Timeout timeout, const MayDeny& may_deny,
                    BlockWitnesses& witnesses);
  // For votes and blocks that are being built: a beacon that lags cannot deny a new block.
  MayDeny UnlessStale() const;
  // Notes that the beacon's part in a duty of the slot failed, and why.
  void PassOver(size_t beacon, uint64_t slot, const absl::Status& status, BeaconErrors& errors);

  Results Submit(const SubmitCall& call, size_t builder, const Remaining& remaining);
  // Submits to several beacons at once.
  Results SubmitTogether(const SubmitCall& call, const std::vector<size_t>& beacons, Timeout timeout,
                         BeaconErrors& errors);

  std::vector<std::unique_ptr<BeaconSession>> sessions_;
  std::vector<BeaconStanding> standings_;  // one for each session
  KnownBlocks known_;
  const bool broadcast_;
  const RunTask run_;
  const std::shared_ptr<spdlog::logger> logger_;
  uint64_t probed_slot_ = 0;
  size_t alone_ = 0;              // the one of two beacons that was last used because the other was away
  uint64_t alone_slot_ = 0;       // the slot in which it was
  std::optional<size_t> chosen_;  // the best beacon when it was last logged
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_POOL_H_
