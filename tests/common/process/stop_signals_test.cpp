#include "common/process/stop_signals.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"

namespace lean {
namespace {

void AwaitStop(const std::stop_token& stop) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.Wait(mutex, stop, []() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return false; });
}

class UntilStoppedTest : public testing::Test {
 protected:
  std::function<void(const char*)> Told() {
    return [this](const char* signal) { told_ = signal; };
  }

  StopSignals signals_;
  std::string told_;
};

TEST_F(UntilStoppedTest, WithoutASignalTheWorkTellsHowItEnded) {
  EXPECT_TRUE(RunStoppable(
                  signals_, [](std::stop_token) { return absl::OkStatus(); }, Told())
                  .ok());
  EXPECT_EQ(RunOrExit(
                signals_, 3, [](std::stop_token) { return absl::AbortedError("why"); }, Told()),
            absl::AbortedError("why"));
  EXPECT_EQ(told_, "");
}

TEST_F(UntilStoppedTest, ASignalRequestsTheStop) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    StopSignals signals;
    kill(getpid(), signal);
    const absl::Status status = RunStoppable(
        signals,
        [](std::stop_token stop) {
          AwaitStop(stop);
          return absl::UnavailableError("half way");
        },
        Told());
    EXPECT_EQ(told_, std::string("SIG") + sigabbrev_np(signal));
    EXPECT_EQ(status, absl::CancelledError("stopped by " + told_ + ": half way"));
  }
}

// Who goes on after the work must know that the signal has been taken: it comes no second time.
TEST_F(UntilStoppedTest, ASignalIsToldAlsoWhenTheWorkEndsWell) {
  kill(getpid(), SIGTERM);
  const auto work = [](std::stop_token stop) {
    AwaitStop(stop);
    return absl::OkStatus();
  };
  EXPECT_TRUE(RunOrExit(signals_, 3, work, Told()).ok());
  EXPECT_EQ(told_, "SIGTERM");
}

TEST_F(UntilStoppedTest, WorkThatDoesNotNoticeTheStopIsEndedWithinASecond) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EXIT(
      {
        kill(getpid(), SIGTERM);
        RunOrExit(
            signals_, 3,
            [](std::stop_token) {
              AwaitStop({});
              return absl::OkStatus();
            },
            Told())
            .IgnoreError();
      },
      testing::ExitedWithCode(3), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kPatience);
}

}  // namespace
}  // namespace lean
