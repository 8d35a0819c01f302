// Several beacons in the place of one: which is asked for a duty, who is next when it fails, where results go.
#ifndef LEAN_VALIDATOR_CLIENT_BEACON_POOL_H_
#define LEAN_VALIDATOR_CLIENT_BEACON_POOL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/log/logger.h"
#include "validator_client/beacon_client.h"
#include "validator_client/beacon_selection.h"
#include "validator_client/beacon_session.h"

namespace lean::validator {

// A session for each beacon, in the operator's order. Health is learned by Probe, in the quiet part of a slot; a duty
// then goes to the best beacon (beacon_selection.h) and, when that one fails, to the next while time remains. It is
// no BeaconClient itself, since whether an answer is good enough is for the duty to say: a beacon that lies is passed
// over like one that is silent. Not thread-safe: belongs to the service's thread.
class BeaconPool {
 public:
  using Timeout = BeaconClient::Timeout;
  // What is left of a stage of a duty, whenever it is asked.
  using Remaining = std::function<Timeout()>;
  // Runs a task for one beacon, now or on another thread, apart from those of other beacons. False: it will not run.
  using RunTask = std::function<bool(size_t beacon, std::function<void()> task)>;
  // Asks one beacon and checks what it answers. OK ends the search.
  using Attempt = std::function<absl::Status(BeaconSession& beacon, Timeout timeout)>;

  // `clients` (at least one) and what `run` needs must outlive the pool. `broadcast`: results go to all.
  BeaconPool(const std::vector<BeaconClient*>& clients, const ExpectedNetwork& expected,
             const std::vector<RegisteredKey>& keys, bool broadcast, RunTask run,
             std::shared_ptr<spdlog::logger> logger);

  // Asks all beacons at once for duties of `slot`, and judges their answers. Returns ready(), or InvalidArgument when
  // every beacon says that a key of ours is not in its registry. Without a network given, it is the one that most of them name;
  // among equals, the first in order tells.
  absl::Status Probe(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms);

  // Keys of ours from now on, for every beacon's registry to have.
  void SetKeys(const std::vector<RegisteredKey>& keys);

  // Whether the network's registry has a key that is none of ours yet: one good beacon that says so is enough.
  // InvalidArgument: all that answered say it has not. Other errors: no beacon tells now.
  absl::Status CheckRegistered(const RegisteredKey& key, Timeout timeout);

  // OK: there is a beacon to ask, one that does not lag.
  absl::Status ready() const;
  const std::optional<Network>& network() const { return sessions_.front()->network(); }
  // Of the best beacon that brought a time at the last probe.
  std::optional<int64_t> clock_offset_ms() const;
  size_t size() const { return sessions_.size(); }
  // The first that a duty would be done with; nullopt: none is good.
  std::optional<size_t> best() const;
  const BeaconSession& session(size_t beacon) const { return *sessions_[beacon]; }

  // Those that are good, best first.
  std::vector<BeaconSession*> Usable();

  // Makes attempts until one is OK, the best beacon first, none later than `remaining`. Lagging beacons are asked only
  // when every other one did answer, and none of them well. Returns the beacon that the attempt was OK with. The error
  // of one beacon alone is returned as it is; those of several are put together.
  absl::StatusOr<size_t> Build(const Remaining& remaining, const Attempt& attempt);

  // Hands in what is signed: first to the beacon that built it, then the same to the others until one takes all of it.
  // With broadcast to every beacon of our network at once, also to those that are behind; returns with the first that
  // took all of it, while the others go on until `remaining` as it is now. OK: the best result for each item.
  absl::StatusOr<SubmitResult> SubmitBlock(SignedBlockWithAttestation block, size_t builder,
                                           const Remaining& remaining);
  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(std::vector<SignedAttestation> votes, size_t builder,
                                                        const Remaining& remaining);

  // A call of a duty failed: nothing more is asked of that beacon before its next good probe.
  void MarkFailed(BeaconSession& beacon, const absl::Status& status);

 private:
  using Results = absl::StatusOr<std::vector<SubmitResult>>;
  using SubmitCall = std::function<Results(BeaconClient& client, Timeout timeout)>;

  BeaconOrder Order() const;
  std::vector<BeaconSession::Reading> AskAll(uint64_t slot, Timeout timeout, const BeaconSession::NowMs& now_ms);
  void ReportChoice();

  Results Submit(const SubmitCall& call, size_t builder, const Remaining& remaining);
  Results SubmitInTurn(const SubmitCall& call, size_t builder, const Remaining& remaining);
  Results SubmitToAll(const SubmitCall& call, Timeout timeout);

  std::vector<std::unique_ptr<BeaconSession>> sessions_;
  const bool broadcast_;
  const RunTask run_;
  const std::shared_ptr<spdlog::logger> logger_;
  uint64_t probed_slot_ = 0;
  std::optional<size_t> chosen_;  // as last reported
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACON_POOL_H_
