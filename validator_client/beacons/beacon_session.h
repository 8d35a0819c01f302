// Whether the beacon may be worked with: the network it serves, our keys in its registry, its clock, its health.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SESSION_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SESSION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/log/logger.h"
#include "validator_client/beacons/beacon_client.h"
#include "validator_client/beacons/network_identity.h"

namespace lean::validator {

// A larger difference between the clocks is logged as a warning.
inline constexpr std::chrono::milliseconds kClockWarning{200};

// Judges whether a beacon can be used for duties. Not thread-safe: belongs to the service's thread. Logs every change
// of the beacon's state, and once a minute that it is still not usable.
class BeaconSession {
 public:
  // Times of a probe, Unix milliseconds by our own clock.
  using NowMs = std::function<int64_t()>;

  // `client` must outlive the session.
  BeaconSession(BeaconClient& client, ExpectedNetwork expected, std::vector<RegisteredKey> keys,
                std::shared_ptr<spdlog::logger> logger);

  // The result of a probe, with its times by our own clock.
  struct Reading {
    absl::StatusOr<DutiesAnswer> answer;
    int64_t sent_ms = 0;
    int64_t received_ms = 0;
    // The beacon's registry, when it is needed to recompute the genesis whose root the operator gave.
    std::optional<absl::StatusOr<Registry>> registry = std::nullopt;
  };

  // Asks the beacon for duties of `slot`. Does not change this object: may run on any thread, concurrently.
  Reading Ask(uint64_t slot, std::chrono::milliseconds timeout, const NowMs& now_ms) const;

  // Takes the result of Ask for `slot`, and returns ready(). OK: the beacon can be used for duties. kUnavailable,
  // kDeadlineExceeded: no answer. kFailedPrecondition: another network or spec, a clock that differs too much, a wrong
  // proposer for the slot, no genesis with the given root, or a beacon that syncs. kInvalidArgument: this answer told
  // the network, and the network's registry lacks a key of ours; the operator must fix that.
  absl::Status Judge(const Reading& reading, uint64_t slot);

  // Ask, then Judge.
  absl::Status Probe(uint64_t slot, std::chrono::milliseconds timeout, const NowMs& now_ms) {
    return Judge(Ask(slot, timeout, now_ms), slot);
  }

  // Sets our keys, from the next probe on.
  void SetKeys(std::vector<RegisteredKey> keys);

  // Checks that the registry has a key that is not one of ours yet: by the checked genesis, otherwise by asking the
  // beacon. InvalidArgument: the registry lacks it. FailedPrecondition: a malformed answer. Other errors as of Ask.
  absl::Status CheckRegistered(const RegisteredKey& key, uint64_t slot, std::chrono::milliseconds timeout);

  // Sets the network that another beacon has told. Does nothing when a network is known.
  void Pin(const NetworkIdentity& network);

  // Notes that a call of a duty failed: the beacon is not used before the next successful probe.
  void MarkFailed(const absl::Status& status);

  // Checks the time in an answer: the clocks must be at most one slot apart.
  absl::Status CheckTime(int64_t beacon_ms, int64_t our_ms) const;

  const absl::Status& ready() const { return ready_; }
  const std::optional<NetworkIdentity>& network() const { return network_; }
  BeaconClient& client() { return client_; }
  const BeaconClient& client() const { return client_; }

  // By the last answer that named a network: false when that is not ours, or there was no such answer yet.
  bool on_network() const { return on_network_; }
  // From the last answer of our network: the slot of the beacon's head, the time that the answer took, and the slot
  // that the probe was for.
  uint64_t head_slot() const { return head_slot_; }
  std::chrono::milliseconds latency() const { return latency_; }
  uint64_t heard_slot() const { return heard_slot_; }

  // The beacon's clock minus ours at the last probe, in milliseconds; nullopt when the answer had no time.
  std::optional<int64_t> clock_offset_ms() const { return clock_offset_ms_; }

 private:
  absl::Status JudgeAnswer(const Reading& reading, uint64_t slot);
  // Takes the network that the answer names: checked against the root that the operator gave, otherwise unchecked.
  absl::Status LearnNetwork(const Reading& reading);
  // Recomputes the genesis from the beacon's answers and checks that it has the root that the operator gave.
  absl::StatusOr<NetworkIdentity> CheckGenesis(const DutiesAnswer& answer,
                                               const absl::StatusOr<Registry>& registry) const;
  absl::Status CheckNetwork(const DutiesAnswer& answer) const;
  static absl::Status CheckRegistry(const DutiesAnswer& answer, const std::vector<RegisteredKey>& keys);
  absl::Status CheckClock(const DutiesAnswer& answer, int64_t sent_ms, int64_t received_ms);
  absl::Status CheckHead(const DutiesAnswer& answer, int64_t our_ms) const;
  // `now_ms`: our clock at the probe; nullopt when the change does not come from a probe.
  void SetReady(absl::Status status, std::optional<int64_t> now_ms = std::nullopt);

  BeaconClient& client_;
  ExpectedNetwork expected_;
  std::vector<RegisteredKey> keys_;
  std::vector<PublicKeyBytes> pubkeys_;
  std::shared_ptr<spdlog::logger> logger_;
  std::optional<NetworkIdentity> network_;
  absl::Status ready_;
  int64_t reported_ms_ = 0;  // when ready_ was last logged
  std::optional<int64_t> clock_offset_ms_;
  bool clock_warned_ = false;
  bool on_network_ = false;
  uint64_t head_slot_ = 0;
  uint64_t heard_slot_ = 0;
  std::chrono::milliseconds latency_{0};
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SESSION_H_
