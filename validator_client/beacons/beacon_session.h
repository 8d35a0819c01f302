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

// A beacon further off than this is worth a warning.
inline constexpr std::chrono::milliseconds kClockWarning{200};

// Not thread-safe: belongs to the service's thread. Logs every change of the beacon's state, and once a minute that it
// is still not usable.
class BeaconSession {
 public:
  // Times of a probe, Unix milliseconds by our own clock.
  using NowMs = std::function<int64_t()>;

  // `client` must outlive the session.
  BeaconSession(BeaconClient& client, ExpectedNetwork expected, std::vector<RegisteredKey> keys,
                std::shared_ptr<spdlog::logger> logger);

  // What a probe brought, and when by our own clock.
  struct Reading {
    absl::StatusOr<DutiesAnswer> answer;
    int64_t sent_ms = 0;
    int64_t received_ms = 0;
    // The beacon's registry, while that is needed to recompute the genesis whose root the operator gave.
    std::optional<absl::StatusOr<Registry>> registry = std::nullopt;
  };

  // Asks the beacon for duties of `slot`. Changes nothing here: may run on any thread, beside everything else.
  Reading Ask(uint64_t slot, std::chrono::milliseconds timeout, const NowMs& now_ms) const;

  // Takes what Ask brought for `slot`. OK: duties may be done. Otherwise ready() says why not:
  // kUnavailable, kDeadlineExceeded: no answer; kFailedPrecondition: refused (other network, other spec, clocks apart,
  // a proposer that does not follow from the slot, no genesis of the given root) or syncing; kInvalidArgument: a key of
  // ours is not in the registry of a network that was learned from this very answer, which is the operator's to mend.
  absl::Status Judge(const Reading& reading, uint64_t slot);

  // Both, one after the other.
  absl::Status Probe(uint64_t slot, std::chrono::milliseconds timeout, const NowMs& now_ms) {
    return Judge(Ask(slot, timeout, now_ms), slot);
  }

  // Keys of ours from the next probe on.
  void SetKeys(std::vector<RegisteredKey> keys);

  // Whether the registry has a key that is none of ours yet, by the checked genesis or else by asking. InvalidArgument:
  // it has not. FailedPrecondition: an answer that is not good. Otherwise as Ask.
  absl::Status CheckRegistered(const RegisteredKey& key, uint64_t slot, std::chrono::milliseconds timeout);

  // Another beacon has told which network this is. Does nothing when a network is known.
  void Pin(const Network& network);

  // A duty's call failed: nothing more is asked of the beacon before the next good probe.
  void MarkFailed(const absl::Status& status);

  // Checks the time in an answer to a duty: the beacon must be within one slot of us.
  absl::Status CheckTime(int64_t beacon_ms, int64_t our_ms) const;

  const absl::Status& ready() const { return ready_; }
  const std::optional<Network>& network() const { return network_; }
  BeaconClient& client() { return client_; }
  const BeaconClient& client() const { return client_; }

  // Of the last answer that told: false when it came from another network than ours, or none has come yet.
  bool on_network() const { return on_network_; }
  // Of the last answer that passed for one of our network: the slot of the beacon's head, how long the answer took, and
  // the slot that was asked for.
  uint64_t head_slot() const { return head_slot_; }
  std::chrono::milliseconds latency() const { return latency_; }
  uint64_t heard_slot() const { return heard_slot_; }

  // The beacon's clock minus ours at the last probe, milliseconds; nullopt when it brought no time.
  std::optional<int64_t> clock_offset_ms() const { return clock_offset_ms_; }

 private:
  absl::Status JudgeAnswer(const Reading& reading, uint64_t slot);
  // Takes the network that the answer names: checked against the given root, or on the beacon's word when none is
  // given.
  absl::Status LearnNetwork(const Reading& reading);
  // The network whose genesis has the root that the operator gave, recomputed from what the beacon says of it.
  absl::StatusOr<Network> CheckGenesis(const DutiesAnswer& answer, const absl::StatusOr<Registry>& registry) const;
  absl::Status CheckNetwork(const DutiesAnswer& answer) const;
  static absl::Status CheckRegistry(const DutiesAnswer& answer, const std::vector<RegisteredKey>& keys);
  absl::Status CheckClock(const DutiesAnswer& answer, int64_t sent_ms, int64_t received_ms);
  absl::Status CheckHead(const DutiesAnswer& answer, int64_t our_ms) const;
  // `now_ms`: by our own clock, when the beacon was asked for it.
  void SetReady(absl::Status status, std::optional<int64_t> now_ms = std::nullopt);

  BeaconClient& client_;
  ExpectedNetwork expected_;
  std::vector<RegisteredKey> keys_;
  std::vector<PublicKeyBytes> pubkeys_;
  std::shared_ptr<spdlog::logger> logger_;
  std::optional<Network> network_;
  absl::Status ready_;
  int64_t reported_ms_ = 0;  // when a line last told of ready_
  std::optional<int64_t> clock_offset_ms_;
  bool clock_warned_ = false;
  bool on_network_ = false;
  uint64_t head_slot_ = 0;
  uint64_t heard_slot_ = 0;
  std::chrono::milliseconds latency_{0};
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_SESSION_H_
