#include "tests/validator_client/support/running_client.h"

#include <algorithm>

#include "tests/validator_client/support/fake_key.h"
#include "validator_client/keys/key_admission.h"

namespace lean::validator {

using std::chrono::milliseconds;

RunningClient::RunningClient(int64_t wall_ms, uint64_t validators, SigningRecords& records)
    : clock_(wall_ms), start_ms_(wall_ms), beacon_(clock_, validators), records_(records) {}

void RunningClient::Start(const std::vector<ValidatorKey>& keys, const StartOptions& options,
                          ExpectedNetwork expected) {
  expected.xmss_log_lifetime = 16;
  beacons_.emplace(std::vector<BeaconClient*>{&beacon_}, expected, RegisteredKeysOf(keys), false, RunInline,
                   log_.logger());
  limit_.emplace(clock_, expected.slot_duration_ms);
  signer_.emplace(keys, records_, *limit_, [](std::function<void()> task) { task(); });
  preparer_.emplace(keys, clock_, log_.logger());
  keys_.emplace(*signer_, *preparer_);
  votes_.emplace(clock_, *beacons_, *signer_, VerifyFake, log_.logger());
  service_.emplace(clock_, *beacons_, *votes_, *keys_, options, 1, metrics_, log_.logger());
  thread_ = std::thread([this] { result_ = service_->Run(); });
}

absl::Status RunningClient::Await() {
  if (thread_.joinable()) thread_.join();
  return result_;
}

absl::Status RunningClient::Stop() {
  clock_.Interrupt();
  return Await();
}

void RunningClient::Pass(milliseconds time) {
  const SteadyTime end = clock_.Steady() + time;
  while (true) {
    clock_.AwaitWaiters(1);
    if (clock_.Steady() >= end) return;
    milliseconds step = std::chrono::ceil<milliseconds>(end - clock_.Steady());
    if (const auto next = clock_.NextDeadline(); next.has_value()) {
      step = std::min(step, std::chrono::ceil<milliseconds>(*next - clock_.Steady()));
    }
    clock_.Advance(std::max(step, milliseconds(1)));
  }
}

void RunningClient::RunTo(int64_t ms_after_genesis) {
  const SteadyTime end = start_ + milliseconds(kGenesisMs + ms_after_genesis - start_ms_);
  Pass(std::chrono::ceil<milliseconds>(end - clock_.Steady()));
}

}  // namespace lean::validator
