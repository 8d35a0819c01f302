#include "validator_client/keys/key_preparer.h"

#include <thread>

#include "absl/synchronization/notification.h"
#include "common/clock/manual_clock.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

constexpr std::chrono::milliseconds kSlot{4000};

// Calls Check until the log has `count` lines with `part`, because another thread writes them.
void CheckUntilLogged(KeyPreparer& preparer, uint64_t slot, CapturedLog& log, absl::string_view part, size_t count) {
  while (log.Count(part) < count) {
    preparer.Check(slot, kSlot);
    std::this_thread::yield();
  }
}

TEST(KeyPreparerThreads, PreparesAKeyInItsSecondHalf) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 1000}, SlotRange{0, 32});
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer({{0, key, "keys.yaml:1"}}, preparer_clock, log.logger());
  preparer.Check(15, kSlot);
  CheckUntilLogged(preparer, 16, log, "key prepared validator=0 first_slot=16 end_slot=48", 1);
  EXPECT_EQ(key->prepare_calls(), 1) << "nothing was due at slot 15";
  EXPECT_EQ(preparer.keys().items, 1u);
  EXPECT_GT(preparer.keys().bytes, 32 * 64u) << "the prepared slots";
  EXPECT_EQ(log.Count("info key preparing validator=0 percent="), 3) << "at each quarter: " << log.text();
  EXPECT_EQ(log.Count("info key preparing validator=0 percent=25"), 1);
}

TEST(KeyPreparerThreads, CatchesUpWithAKeyThatLaysStill) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 1000}, SlotRange{0, 32});
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer({{0, key, "keys.yaml:1"}}, preparer_clock, log.logger());
  CheckUntilLogged(preparer, 500, log, "key prepared validator=0", 1);
  EXPECT_TRUE(key->prepared_slots().Contains(500));
}

TEST(KeyPreparerThreads, LeavesTheLastSlotsAlone) {
  auto last = std::make_shared<FakeKey>(0, SlotRange{0, 32}, SlotRange{0, 32});
  auto next = std::make_shared<FakeKey>(1, SlotRange{0, 1000}, SlotRange{0, 32});
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer({{0, last, ""}, {1, next, ""}}, preparer_clock, log.logger());
  CheckUntilLogged(preparer, 31, log, "key prepared validator=1", 1);  // it would be queued after the other key
  EXPECT_EQ(last->prepare_calls(), 0);
}

// Checks once for each minute of eight days.
TEST(KeyPreparerThreads, WarnsAWeekBeforeTheEndThenDailyThenHourly) {
  constexpr std::chrono::minutes kMinute{1};
  constexpr uint64_t kDay = 24 * 60;
  constexpr uint64_t kEnd = 8 * kDay;
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, kEnd}, SlotRange{0, kEnd});
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer({{0, key, ""}}, preparer_clock, log.logger());
  for (uint64_t slot = 0; slot < kDay; ++slot) preparer.Check(slot, kMinute);
  EXPECT_EQ(log.Count("key ends soon"), 0);
  for (uint64_t slot = kDay; slot < kEnd + 10; ++slot) preparer.Check(slot, kMinute);
  EXPECT_EQ(log.Count("warning key ends soon validator=0 days_left=7 hours_left=0 slots_left=10080 last_slot=11519"), 1)
      << log.text();
  for (int days = 1; days <= 7; ++days) {
    EXPECT_EQ(log.Count("days_left=" + std::to_string(days) + " hours_left=0 "), 1) << log.text();
  }
  for (int hours = 1; hours < 24; ++hours) {
    EXPECT_EQ(log.Count("days_left=0 hours_left=" + std::to_string(hours) + " "), 1) << log.text();
  }
  EXPECT_EQ(log.Count("key ends soon"), 7 + 23);
  EXPECT_EQ(log.Count("error key has ended validator=0 last_slot=11519"), 1);
}

TEST(KeyPreparerThreads, AThousandKeysGetALineForEachThingThatHappensToThem) {
  std::vector<ValidatorKey> keys;
  for (uint64_t index = 0; index < 1024; ++index) {
    keys.push_back({index, std::make_shared<FakeKey>(index, SlotRange{0, 64}, SlotRange{0, 32}), ""});
  }
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer(keys, preparer_clock, log.logger());
  CheckUntilLogged(preparer, 40, log, "keys prepared keys=1024", 1);
  for (uint64_t slot = 41; slot < 100; ++slot) preparer.Check(slot, kSlot);
  EXPECT_EQ(log.Count("key ends soon validator=0 "), 1) << log.text();
  EXPECT_EQ(log.Count("error key has ended validator=0 last_slot=63 keys=1024"), 1) << log.text();
  // A slow machine needs a minute or two, which gives a few more lines.
  EXPECT_LE(log.lines().size(), 20u) << log.text();
}

TEST(KeyPreparerThreads, WarnsOnceOfAKeyThatBeginsNearItsEnd) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 400}, SlotRange{0, 400});
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer({{0, key, ""}}, preparer_clock, log.logger());
  for (uint64_t slot = 250; slot < 400; ++slot) preparer.Check(slot, kSlot);
  EXPECT_EQ(log.Count("warning key ends soon validator=0 days_left=0 hours_left=0 slots_left=150 last_slot=399"), 1)
      << log.text();
  EXPECT_EQ(log.Count("key ends soon"), 1);
}

TEST(KeyPreparerThreads, TakesKeysInAndLetsThemGo) {
  auto stays = std::make_shared<FakeKey>(0, SlotRange{0, 1000}, SlotRange{0, 32});
  auto goes = std::make_shared<FakeKey>(1, SlotRange{0, 1000}, SlotRange{0, 32});
  std::latch never(1);  // counted down by Cancel only
  goes->block_prepare = &never;
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer({{1, goes, ""}}, preparer_clock, log.logger());
  preparer.Check(500, kSlot);
  preparer.Add({0, stays, ""});
  preparer.Remove(goes->pubkey());
  preparer.Remove(goes->pubkey());
  CheckUntilLogged(preparer, 500, log, "key prepared validator=0", 1);
  EXPECT_EQ(goes->prepare_calls(), 0);
  EXPECT_EQ(log.Count("prepared validator=1"), 0) << log.text();
}

TEST(KeyPreparerThreads, StopsWithinAPreparation) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 1000}, SlotRange{0, 32});
  std::latch never(1);  // counted down by Cancel only
  key->block_prepare = &never;
  CapturedLog log;
  {
    ManualClock preparer_clock(0);
    KeyPreparer preparer({{0, key, ""}}, preparer_clock, log.logger());
    preparer.Check(500, kSlot);
  }
  EXPECT_EQ(log.Count("key prepared"), 0);
  EXPECT_EQ(log.Count("key not prepared"), 0) << "being stopped is no failure";
}

// Notifies when it is prepared for a slot.
class NotifyingKey : public FakeKey {
 public:
  NotifyingKey(uint64_t slot, absl::Notification& prepared)
      : FakeKey(0, {0, 1000}, {0, 32}), slot_(slot), prepared_(prepared) {}

  absl::Status Prepare(uint64_t slot, const PrepareProgress&) override {
    if (slot == slot_) prepared_.Notify();
    return absl::OkStatus();
  }

 private:
  const uint64_t slot_;
  absl::Notification& prepared_;
};

TEST(KeyPreparerThreads, AClockThatIsSetPreparesForItsSlots) {
  const SlotClock slots(/*genesis_time_s=*/1000, 4000);
  ManualClock clock(slots.StartMs(700, 0));
  absl::Notification prepared;
  CapturedLog log;
  ManualClock preparer_clock(0);
  KeyPreparer preparer({{0, std::make_shared<NotifyingKey>(101, prepared), ""}}, preparer_clock, log.logger());
  std::thread keeper([&] { KeepPrepared(clock, slots, preparer); });
  clock.AwaitWaiters(1);
  EXPECT_EQ(clock.NextDeadline(), clock.Steady() + kSlot / 2) << "once the votes of a slot are cast";
  clock.SetWallMs(slots.StartMs(100, 0));
  clock.Advance(kSlot / 2);
  EXPECT_TRUE(prepared.WaitForNotificationWithTimeout(absl::Seconds(30)));
  clock.AwaitWaiters(1);
  EXPECT_EQ(clock.NextDeadline(), clock.Steady() + kSlot);
  clock.Interrupt();
  keeper.join();
}

}  // namespace
}  // namespace lean::validator
