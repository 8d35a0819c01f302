// A complete validator client with fakes. Its service runs on a separate thread with a manual clock.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_RUNNING_CLIENT_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_RUNNING_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/clock/manual_clock.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/duties/validator_service.h"
#include "validator_client/keys/foreign_votes.h"
#include "validator_client/keys/live_keys.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// For the thread of the test, which may use beacon and clock only while the service waits.
class RunningClient {
 public:
  // Both clocks show `wall_ms`. The registry has the validators 0 to validators - 1. `records` must outlive the client.
  RunningClient(int64_t wall_ms, uint64_t validators, SigningRecords& records);
  ~RunningClient() { Stop().IgnoreError(); }
  RunningClient(const RunningClient&) = delete;
  RunningClient& operator=(const RunningClient&) = delete;

  void Start(const std::vector<ValidatorKey>& keys, const StartOptions& options, ExpectedNetwork expected = {});

  // Waits until the service has ended by itself, and returns its result.
  absl::Status Await();
  // Interrupts the service first. May be called again.
  absl::Status Stop();

  // Advances the time and wakes the service at each of its deadlines.
  void Pass(std::chrono::milliseconds time);
  // Advances to a time after genesis, measured by the time that has passed, even if a test has set the clocks.
  void RunTo(int64_t ms_after_genesis);

  ManualClock& clock() { return clock_; }
  FakeBeacon& beacon() { return beacon_; }
  CapturedLog& log() { return log_; }
  LiveKeys& keys() { return *keys_; }

 private:
  ManualClock clock_;
  const int64_t start_ms_;
  const SteadyTime start_ = clock_.Steady();
  FakeBeacon beacon_;
  SigningRecords& records_;
  CapturedLog log_;
  metrics::Registry registry_;
  ValidatorMetrics metrics_{registry_};
  std::optional<BeaconPool> beacons_;
  std::optional<SlotLimit> limit_;
  std::optional<Signer> signer_;
  std::optional<KeyPreparer> preparer_;
  std::optional<LiveKeys> keys_;
  std::optional<ForeignVotes> votes_;
  std::optional<ValidatorService> service_;
  absl::Status result_;
  std::thread thread_;
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_RUNNING_CLIENT_H_
