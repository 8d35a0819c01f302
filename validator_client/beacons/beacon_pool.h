// Several beacons in the place of one: which are asked for a duty, whom of them to believe, where results go.
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

// A vote or block that passed all checks, and the beacon that built it.
struct BuiltVote {
  AttestationData data;
  size_t builder = 0;
};
struct BuiltBlock {
  BuiltBlockAnswer answer;
  size_t builder = 0;
};

// What one beacon says to GetLiveness.
struct LivenessAnswer {
  std::string beacon;  // its name
  absl::StatusOr<std::vector<Liveness>> validators;
};

// A session for each beacon, in the operator's order. Health is learned by Probe, in the quiet part of a slot; a duty
// is then done with the best beacons (beacon_selection.h). A beacon is a plausible liar: what only one of several says
// of blocks counts when it is borne out, by another beacon or by what this client knows already
// (block_witnesses.h). Each duty makes a bounded number of calls on each beacon, however many validators there are. Not
// thread-safe: belongs to the service's thread.
class BeaconPool {
 public:
  using Timeout = BeaconClient::Timeout;
  // What is left of a stage of a duty, whenever it is asked.
  using Remaining = std::function<Timeout()>;
  // Runs a task for one beacon, now or on another thread, apart from those of other beacons. False: it will not run.
  using RunTask = std::function<bool(size_t beacon, std::function<void()> task)>;
  // Checks by themselves what beacons have built, and the time in the answer.
  using CheckVote = std::function<absl::Status(const BeaconSession& beacon, const VoteDataAnswer& answer)>;
  using CheckBlock = std::function<absl::Status(const BeaconSession& beacon, const BuiltBlockAnswer& answer)>;

  // `clients` (at least one) and what `run` needs must outlive the pool. `broadcast`: results go to all.
  BeaconPool(const std::vector<BeaconClient*>& clients, const ExpectedNetwork& expected,
             const std::vector<RegisteredKey>& keys, bool broadcast, RunTask run,
             std::shared_ptr<spdlog::logger> logger);

  // Asks all beacons at once for duties of `slot`, and judges their answers. Returns ready(), or InvalidArgument when
  // every beacon says that a key of ours is not in its registry. Without a network given, it is the one that most of
  // them name; among equals, the first in order tells.
  absl::Status Probe(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms);

  // Keys of ours from now on, for every beacon's registry to have.
  void SetKeys(const std::vector<RegisteredKey>& keys);

  // Whether the network's registry has a key that is none of ours yet: one good beacon that says so is enough.
  // InvalidArgument: all that answered say it has not. Other errors: no beacon tells now.
  absl::Status CheckRegistered(const RegisteredKey& key, Timeout timeout);

  // After a probe: looks once more for the blocks that only one beacon has named or built in the duties of the slots
  // before. A beacon loses its place when no other one has its block and two lack it whose heads have come to its slot.
  // Makes no calls when there is no such block.
  void SettleClaims(Timeout timeout);

  // OK: there is a beacon to ask.
  absl::Status ready() const;
  const std::optional<Network>& network() const { return sessions_.front()->network(); }
  // That by which most beacons of our network differ from our clock, by what they brought at the last probe: within
  // kClockWarning of each other. Among equals, that of the first in order.
  std::optional<int64_t> clock_offset_ms() const;
  size_t size() const { return sessions_.size(); }
  // The first that a duty would be done with; nullopt: none is good.
  std::optional<size_t> best() const;
  const BeaconSession& session(size_t beacon) const { return *sessions_[beacon]; }

  // Those that are good, best first; when none is, those in reserve.
  std::vector<BeaconSession*> Usable();

  // Asks all of these at once; ends within `timeout`. An answer of each, best first.
  std::vector<LivenessAnswer> GetLiveness(const LivenessQuery& query, Timeout timeout);

  // The vote of the slot, from all good beacons at once: what two of them have built alike, or one that names only
  // blocks which are borne out, or, where no other beacon says anything about them, the best one's. Beacons in reserve
  // are asked when this has brought nothing. A vote that two others contradict is never returned. The error of one
  // beacon alone is returned as it is; those of several are put together.
  absl::StatusOr<BuiltVote> BuildVote(uint64_t slot, const Remaining& remaining, const CheckVote& check);

  // The block of the slot, from one beacon after the other until one has built it on a parent and with checkpoints that
  // are borne out; otherwise the first one that fewer than two others contradict. Errors as above.
  absl::StatusOr<BuiltBlock> BuildBlock(uint64_t slot, uint64_t proposer_index, const Remaining& remaining,
                                        const CheckBlock& check);

  // Hands in what is signed to the beacon that built it and to another one at once, so that one beacon alone cannot
  // make it disappear, and to the others one after the other until one takes all of it. With broadcast to every beacon
  // of our network at once, also to those that are behind. Returns with the first that took all of it, while the calls
  // under way go on. OK: the best result for each item.
  absl::StatusOr<SubmitResult> SubmitBlock(SignedBlockWithAttestation block, size_t builder,
                                           const Remaining& remaining);
  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(std::vector<SignedAttestation> votes, size_t builder,
                                                        const Remaining& remaining);

  // A call of a duty failed: nothing more is asked of that beacon before its next good probe.
  void MarkFailed(BeaconSession& beacon, const absl::Status& status);

 private:
  using Results = absl::StatusOr<std::vector<SubmitResult>>;
  using SubmitCall = std::function<Results(BeaconClient& client, Timeout timeout)>;
  // Of the blocks that one beacon was asked for.
  using Slots = std::map<Root, absl::StatusOr<uint64_t>>;

  BeaconOrder Order() const;
  std::vector<BeaconSession::Reading> AskAll(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms);
  void ReportChoice();
  // What a duty came to that nobody has helped with; never OK.
  absl::Status Failure(const BeaconErrors& errors) const;

  // One round of BuildVote with some of the beacons, `timeout` for their answers.
  std::optional<BuiltVote> BuildVoteWith(const std::vector<size_t>& beacons, uint64_t slot, Timeout timeout,
                                         size_t max_denials, const Remaining& remaining, const CheckVote& check,
                                         BeaconErrors& errors);
  // Their answers that pass the check, in the order of the beacons.
  std::vector<VoteCandidate> AskForVotes(const std::vector<size_t>& beacons, uint64_t slot, Timeout timeout,
                                         const CheckVote& check, BeaconErrors& errors);
  // Whether there are two beacons and only this one is ready.
  bool IsAloneOfTwo(size_t beacon) const;
  // What one of two was followed in while the other was away counts as seen until that other one has come as far, or
  // for kDisprovedSlots.
  void ForgetWhatOneSaid();
  // The candidate to take; nullopt: none is good enough.
  std::optional<VoteCandidate> ChooseVote(const std::vector<VoteCandidate>& candidates, size_t max_denials,
                                          const Remaining& remaining);
  // What a block builds on: how many others contradict it. nullopt: all of it is borne out.
  std::optional<size_t> DenialsOf(const BuiltBlock& block, const Remaining& remaining);
  // Whether a beacon that lacks the block says anything by it.
  using MayDeny = std::function<bool(const BeaconSession& beacon, const Root& block)>;
  // Asks all beacons that keep their place, at once, for those of the blocks that they have not spoken of yet.
  void AskForBlocks(const std::vector<Root>& blocks, Timeout timeout, const MayDeny& may_deny,
                    BlockWitnesses& witnesses);
  // Of votes and blocks that are being built: one that lags says nothing about a new block that it lacks.
  MayDeny UnlessStale() const;
  // A beacon's part in a duty of the slot was no good.
  void PassOver(size_t beacon, uint64_t slot, const absl::Status& status, BeaconErrors& errors);

  Results Submit(const SubmitCall& call, size_t builder, const Remaining& remaining);
  // To several at once.
  Results SubmitTogether(const SubmitCall& call, const std::vector<size_t>& beacons, Timeout timeout,
                         BeaconErrors& errors);

  std::vector<std::unique_ptr<BeaconSession>> sessions_;
  std::vector<BeaconStanding> standings_;  // of each
  KnownBlocks known_;
  const bool broadcast_;
  const RunTask run_;
  const std::shared_ptr<spdlog::logger> logger_;
  uint64_t probed_slot_ = 0;
  size_t alone_ = 0;              // which of two was last followed because the other was away
  uint64_t alone_slot_ = 0;       // and when
  std::optional<size_t> chosen_;  // as last reported
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_POOL_H_
