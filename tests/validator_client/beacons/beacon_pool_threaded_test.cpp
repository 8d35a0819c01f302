// The pool with real threads: a beacon that hangs does not delay others.
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "validator_client/beacons/beacon_calls.h"
#include "validator_client/beacons/beacon_pool.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kNowMs = static_cast<int64_t>(kGenesisTime + 100) * 1000;
constexpr milliseconds kLong{600'000};  // much longer than a test

// A beacon that answers GetDuties honestly, but does not answer SubmitVotes until it is cancelled.
class HungBeacon : public FakeBeacon {
 public:
  using FakeBeacon::FakeBeacon;

  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(const std::vector<SignedAttestation>&, Timeout) override {
    cancelled_.WaitForNotification();
    return absl::CancelledError("stopping");
  }
  void Cancel() override { cancelled_.Notify(); }

 private:
  absl::Notification cancelled_;
};

TEST(BeaconPoolThreads, BroadcastReturnsWithTheFirstThatTookAll) {
  ManualClock clock(kNowMs);
  HungBeacon hung(clock, 4, "hung:1");
  FakeBeacon good(clock, 4, "good:2");
  CapturedLog log;
  BeaconLanes lanes(2);
  ExpectedNetwork expected;
  expected.xmss_log_lifetime = 16;
  BeaconPool pool(
      {&hung, &good}, expected, {{0, FakePubkey(0), "keys.yaml:1"}}, true,
      [&lanes](size_t beacon, std::function<void()> task) { return lanes.Run(beacon, std::move(task)); }, log.logger());
  ASSERT_TRUE(pool.Probe(25, milliseconds(500), [&clock] { return clock.WallMs(); }).ok());
  // The beacon that hangs occupies a bounded number of calls, however often it is tried.
  for (size_t round = 1; round <= 10; ++round) {
    const auto results = pool.SubmitVotes(std::vector<SignedAttestation>(1), 0, [] { return kLong; });
    ASSERT_TRUE(results.ok()) << results.status();
    ASSERT_EQ(good.votes.size(), round);
  }
  EXPECT_EQ(log.Count("it has not answered earlier calls yet"), 1) << log.text();
  hung.Cancel();
}

}  // namespace
}  // namespace lean::validator
