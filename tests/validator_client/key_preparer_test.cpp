#include "validator_client/key_preparer.h"

#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/log_capture.h"

namespace lean::validator {
namespace {

// Calls Check until the log has `count` lines with `part`: what a thread of its own does takes its time.
void CheckUntilLogged(KeyPreparer& preparer, uint64_t slot, LogCapture& log, absl::string_view part, size_t count) {
  while (log.Count(part) < count) {
    preparer.Check(slot);
    std::this_thread::yield();
  }
}

TEST(KeyPreparerThreads, PreparesAKeyInItsSecondHalf) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 1000}, SlotRange{0, 32});
  LogCapture log;
  KeyPreparer preparer({{0, key, "keys.yaml:1"}}, log.logger());
  preparer.Check(15);
  CheckUntilLogged(preparer, 16, log, "key prepared validator=0 first_slot=16 end_slot=48", 1);
  EXPECT_EQ(key->prepare_calls(), 1) << "nothing was due at slot 15";
  EXPECT_EQ(log.Count("info key preparing validator=0 percent="), 3) << "at each quarter: " << log.text();
  EXPECT_EQ(log.Count("info key preparing validator=0 percent=25"), 1);
}

TEST(KeyPreparerThreads, CatchesUpWithAKeyThatLaysStill) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 1000}, SlotRange{0, 32});
  LogCapture log;
  KeyPreparer preparer({{0, key, "keys.yaml:1"}}, log.logger());
  CheckUntilLogged(preparer, 500, log, "key prepared validator=0", 1);
  EXPECT_TRUE(key->prepared_slots().Contains(500));
}

TEST(KeyPreparerThreads, LeavesTheLastSlotsAlone) {
  auto last = std::make_shared<FakeKey>(0, SlotRange{0, 32}, SlotRange{0, 32});
  auto next = std::make_shared<FakeKey>(1, SlotRange{0, 1000}, SlotRange{0, 32});
  LogCapture log;
  KeyPreparer preparer({{0, last, ""}, {1, next, ""}}, log.logger());
  CheckUntilLogged(preparer, 31, log, "key prepared validator=1", 1);  // queued after the other, were that due
  EXPECT_EQ(last->prepare_calls(), 0);
}

TEST(KeyPreparerThreads, WarnsOfTheEndEachTimeHalfTheRestIsGone) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 400}, SlotRange{0, 400});
  LogCapture log;
  KeyPreparer preparer({{0, key, ""}}, log.logger());
  for (uint64_t slot = 250; slot < 410; ++slot) preparer.Check(slot);
  EXPECT_EQ(log.Count("warning key ends soon validator=0 slots_left=100 last_slot=399"), 1) << log.text();
  EXPECT_EQ(log.Count("slots_left=50 "), 1);
  EXPECT_EQ(log.Count("key ends soon"), 7) << "at 100, 50, 25, 12, 6, 3 and 1";
  EXPECT_EQ(log.Count("error key has ended validator=0 last_slot=399"), 1);
}

TEST(KeyPreparerThreads, StopsWithinAPreparation) {
  auto key = std::make_shared<FakeKey>(0, SlotRange{0, 1000}, SlotRange{0, 32});
  std::latch never(1);  // only Cancel counts it down
  key->block_prepare = &never;
  LogCapture log;
  {
    KeyPreparer preparer({{0, key, ""}}, log.logger());
    preparer.Check(500);
  }
  EXPECT_EQ(log.Count("key prepared"), 0);
  EXPECT_EQ(log.Count("key not prepared"), 0) << "being stopped is no failure";
}

}  // namespace
}  // namespace lean::validator
