#include "validator_client/start_guard.h"

#include <optional>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/memory_signing_records.h"
#include "tests/validator_client/support/no_slot_limit.h"

namespace lean::validator {
namespace {

using Method = FakeBeacon::Method;

constexpr int64_t kStart = 10;
constexpr std::chrono::milliseconds kTimeout{500};

class StartGuardTest : public ::testing::Test {
 protected:
  void Start(const StartOptions& options, int64_t slot = kStart) {
    std::vector<RegisteredKey> registered;
    std::vector<ValidatorKey> keys;
    for (uint64_t i = 0; i < 2; ++i) {
      registered.push_back({i, FakePubkey(i), ""});
      keys.push_back({i, std::make_shared<FakeKey>(i), ""});
    }
    ExpectedNetwork expected;
    expected.xmss_log_lifetime = 16;
    beacons_.emplace(std::vector<BeaconClient*>{&beacon_}, expected, registered, false, RunInline, log_.logger());
    signer_.emplace(keys, records_, limit_, [](std::function<void()> task) { task(); });
    ASSERT_TRUE(beacons_->Probe(0, kTimeout, [this] { return clock_.WallMs(); }).ok()) << beacons_->ready();
    guard_.emplace(
        *beacons_, *signer_, [this] { return signer_->keys()->all(); }, SlotTime{slot, 1}, options, log_.logger());
  }

  absl::Status Step(int64_t slot, uint32_t interval) { return guard_->Step(SlotTime{slot, interval}, kTimeout); }

  void Record(uint64_t index, uint64_t slot) {
    ASSERT_TRUE(records_.Reserve({{FakePubkey(index), slot, FakeRoot(1)}}).ok());
  }

  ManualClock clock_{static_cast<int64_t>(kGenesisTime) * 1000 + 100};
  FakeBeacon beacon_{clock_, 2};
  CapturedLog log_;
  MemorySigningRecords records_;
  std::optional<BeaconPool> beacons_;
  NoSlotLimit limit_;
  std::optional<Signer> signer_;
  std::optional<StartGuard> guard_;
};

TEST_F(StartGuardTest, BeforeGenesisNothingIsAsked) {
  Start({}, -1);
  EXPECT_TRUE(guard_->admitted());
  EXPECT_EQ(beacon_.calls[Method::kGetLiveness], 0);
}

TEST_F(StartGuardTest, WatchesTwoWholeSlotsAfterThatOfTheStart) {
  Start({.new_keys = true});
  for (int64_t slot = kStart; slot < kStart + kWatchedSlots; ++slot) {
    for (uint32_t interval = 0; interval < 4; ++interval) {
      EXPECT_TRUE(Step(slot, interval).ok());
      EXPECT_FALSE(guard_->admitted());
    }
  }
  EXPECT_TRUE(Step(kStart + kWatchedSlots, 2).ok());
  EXPECT_FALSE(guard_->admitted());
  EXPECT_EQ(beacon_.calls[Method::kGetLiveness], 0);
  EXPECT_TRUE(Step(kStart + kWatchedSlots, 3).ok());
  EXPECT_TRUE(guard_->admitted());
  EXPECT_EQ(log_.Count("no second client seen slots=10..12 validators=2"), 1) << log_.text();
}

TEST_F(StartGuardTest, ASecondClientEndsTheProcess) {
  Start({.new_keys = true});
  beacon_.foreign_votes[1] = kStart + 1;
  const absl::Status status = Step(kStart + kWatchedSlots, 3);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(
      status.message(),
      "validator 1 (key 0x0202…02) has voted in slot 11, which this process did not do: another client works with "
      "its key; nothing was signed here. Stop one of the two");
  EXPECT_FALSE(guard_->admitted());
}

TEST_F(StartGuardTest, AVoteBeforeTheStartIsNoSecondClient) {
  Start({.new_keys = true});
  beacon_.foreign_votes[1] = kStart - 1;
  EXPECT_TRUE(Step(kStart + kWatchedSlots, 3).ok());
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, AVoteThatTheRecordsExplainIsNoSecondClient) {
  // Moved here within one slot: its own vote of that slot is in the records that came along.
  Record(0, kStart);
  Record(1, kStart);
  Start({});
  beacon_.foreign_votes[1] = kStart;
  EXPECT_TRUE(Step(kStart + kWatchedSlots, 3).ok());
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, AKeyWithVotesAndWithoutRecordsEndsTheProcess) {
  Record(0, 4);
  Start({.watch = false});
  beacon_.foreign_votes = {{0, 4}, {1, 3}};
  const absl::Status status = Step(kStart, 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_TRUE(
      absl::StrContains(status.message(),
                        "validator 1 (key 0x0202…02) has voted on this chain, last seen in slot 3, and there are "
                        "no records of it here: import its records, or say --new-keys"))
      << status;
  EXPECT_FALSE(guard_->admitted());
}

TEST_F(StartGuardTest, AVoteInSlotZeroIsAHistory) {
  Start({.watch = false});
  beacon_.foreign_votes = {{1, 0}};
  EXPECT_FALSE(Step(kStart, 1).ok());
}

TEST_F(StartGuardTest, KeysWithoutVotesOrWithRecordsBegin) {
  Record(0, 4);
  Start({.watch = false});
  beacon_.foreign_votes = {{0, 4}};
  EXPECT_FALSE(guard_->admitted());
  EXPECT_TRUE(Step(kStart, 1).ok());
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, NewKeysSkipsTheHistoryAlone) {
  Start({.new_keys = true, .watch = false});
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, KeysThatHaveJustSignedTogetherNeedNoWatch) {
  Record(0, 9);
  Record(1, 8);
  Start({.resumed = true});
  EXPECT_TRUE(Step(kStart, 1).ok());
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, AKeyThatDidNotSignWithTheOthersIsWatchedFor) {
  Record(0, 9);
  Start({.new_keys = true, .resumed = true});
  EXPECT_TRUE(Step(kStart, 1).ok());
  EXPECT_FALSE(guard_->admitted()) << "it has just come";
  Record(1, 7);
  Start({.resumed = true});
  EXPECT_TRUE(Step(kStart, 1).ok());
  EXPECT_FALSE(guard_->admitted()) << "it was away";
}

TEST_F(StartGuardTest, ABeaconThatCannotTellIsAskedAgain) {
  Start({});
  beacon_.fail[Method::kGetLiveness] = absl::UnavailableError("syncing");
  EXPECT_TRUE(Step(kStart + kWatchedSlots, 3).ok());
  EXPECT_FALSE(guard_->admitted());
  EXPECT_GE(log_.Count("liveness unknown"), 1) << log_.text();
  beacon_.fail.clear();
  beacon_.bend_liveness = [](std::vector<Liveness>& answer) { answer.pop_back(); };
  EXPECT_TRUE(Step(kStart + kWatchedSlots + 1, 0).ok());
  EXPECT_FALSE(guard_->admitted()) << "an answer that leaves a key out";
  beacon_.bend_liveness = nullptr;
  EXPECT_TRUE(Step(kStart + kWatchedSlots + 1, 1).ok());
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, ABeaconThatIsNotReadyIsNotAsked) {
  Start({});
  beacons_->MarkFailed(*beacons_->Usable().front(), absl::UnavailableError("gone"));
  EXPECT_TRUE(Step(kStart + kWatchedSlots, 3).ok());
  EXPECT_FALSE(guard_->admitted());
  EXPECT_EQ(beacon_.calls[Method::kGetLiveness], 0);
}

}  // namespace
}  // namespace lean::validator
