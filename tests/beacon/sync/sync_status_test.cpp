#include "beacon/sync/sync_status.h"

#include <gtest/gtest.h>

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;
using State = SyncVerdict::State;

constexpr SyncVerdictOptions kOptions{.behind_slots = 8,
                                      .caught_up_slots = 2,
                                      .start_wait = milliseconds(100),
                                      .proof_wait = milliseconds(1000),
                                      .configured_peers = 2};

class SyncVerdictTest : public testing::Test {
 protected:
  State At(int ms, uint64_t head, std::optional<uint64_t> peers_head, size_t linked = 2, uint64_t progress = 0) {
    return verdict_.Update({.now = SteadyTime{} + milliseconds(ms),
                            .head_slot = head,
                            .clock_slot = 100,
                            .peers_head = peers_head,
                            .linked_peers = linked,
                            .progress = progress});
  }

  SyncVerdict verdict_{kOptions, SteadyTime{}};
};

TEST_F(SyncVerdictTest, WaitsForTheConfiguredPeersButNotForEver) {
  EXPECT_EQ(At(0, 10, {}, 0), State::kStarting);
  EXPECT_EQ(At(99, 10, 100, 1), State::kStarting);
  EXPECT_EQ(At(99, 10, 100, 2), State::kSyncing);
  SyncVerdict alone(kOptions, SteadyTime{});
  const SyncView view{.now = SteadyTime{} + milliseconds(100),
                      .head_slot = 10,
                      .clock_slot = 100,
                      .peers_head = {},
                      .linked_peers = 0,
                      .progress = 0};
  EXPECT_EQ(alone.Update(view), State::kSynced);
}

TEST_F(SyncVerdictTest, NobodyCanBeAheadOfAFreshHead) { EXPECT_EQ(At(0, 92, {}, 0), State::kSynced); }

TEST_F(SyncVerdictTest, ABeaconThatNobodyIsAheadOfIsSyncedHoweverOldItsHead) {
  EXPECT_EQ(At(0, 10, {}), State::kSynced);
  EXPECT_EQ(At(1, 10, 10), State::kSynced);
}

TEST_F(SyncVerdictTest, HasHysteresis) {
  EXPECT_EQ(At(0, 90, {}), State::kSynced);
  EXPECT_EQ(At(1, 90, 98), State::kSynced);
  EXPECT_EQ(At(2, 90, 99), State::kSyncing);
  EXPECT_EQ(At(3, 94, 99, 2, 4), State::kSyncing);
  EXPECT_EQ(At(4, 97, 99, 2, 7), State::kSynced);
  EXPECT_EQ(At(5, 97, 100, 2, 7), State::kSynced);
}

TEST_F(SyncVerdictTest, APeerThatIsGoneWhileItsBlocksArriveLeavesTheBeaconBehind) {
  EXPECT_EQ(At(0, 10, 100), State::kSyncing);
  EXPECT_EQ(At(10, 50, 100, 2, 40), State::kSyncing);
  EXPECT_EQ(At(20, 50, {}, 2, 40), State::kSyncing);
  EXPECT_EQ(verdict_.target_slot(), 100);
  EXPECT_EQ(At(30, 60, 99, 2, 50), State::kSyncing);  // it is back
  EXPECT_EQ(At(40, 60, {}, 2, 50), State::kSyncing);
  EXPECT_EQ(At(1030, 60, {}, 2, 50), State::kSynced) << "nobody has brought a block for proof_wait";
  EXPECT_EQ(At(1040, 60, 99, 2, 50), State::kSynced);
  EXPECT_EQ(At(1050, 61, 99, 2, 51), State::kSyncing);
  EXPECT_EQ(At(1060, 92, {}, 2, 82), State::kSynced) << "near the clock";
}

TEST_F(SyncVerdictTest, AClaimWithoutBlocksEndsWithItsPeer) {
  EXPECT_EQ(At(0, 10, 100), State::kSyncing);
  EXPECT_EQ(At(10, 10, {}), State::kSynced);
}

TEST_F(SyncVerdictTest, ClaimsThatBringNoBlocksEndAndDoNotBeginAgain) {
  EXPECT_EQ(At(0, 10, 100), State::kSyncing);
  EXPECT_EQ(At(900, 12, 100, 2, 2), State::kSyncing);
  EXPECT_EQ(At(1899, 12, 100, 2, 2), State::kSyncing);
  EXPECT_EQ(At(1900, 12, 100, 2, 2), State::kSynced);
  EXPECT_EQ(At(9000, 12, 100, 2, 2), State::kSynced);
  EXPECT_EQ(At(9001, 13, 100, 2, 3), State::kSyncing);  // one has come
}

// All beacons may have been off, or our clock is wrong: the votes of others tell.
TEST(SyncVerdict, WithAnOldHeadItHearsOthersBeforeItServes) {
  SyncVerdictOptions options = kOptions;
  options.hearing_wait = milliseconds(200);
  SyncVerdict verdict(options, SteadyTime{});
  const auto at = [&](int ms, uint64_t head, std::optional<uint64_t> peers_head, size_t linked) {
    return verdict.Update({.now = SteadyTime{} + milliseconds(ms),
                           .head_slot = head,
                           .clock_slot = 100,
                           .peers_head = peers_head,
                           .linked_peers = linked,
                           .progress = head});
  };
  EXPECT_EQ(at(0, 10, {}, 0), State::kStarting);
  EXPECT_EQ(at(50, 10, {}, 2), State::kStarting);
  EXPECT_EQ(at(60, 10, 20, 2), State::kSyncing) << "but it fetches what they have";
  EXPECT_EQ(at(240, 20, 20, 2), State::kSyncing);
  EXPECT_EQ(at(250, 20, 20, 2), State::kSynced);
  SyncVerdict fresh(options, SteadyTime{});
  EXPECT_EQ(fresh.Update({.now = SteadyTime{},
                          .head_slot = 95,
                          .clock_slot = 100,
                          .peers_head = {},
                          .linked_peers = 1,
                          .progress = 0}),
            State::kSynced);
}

}  // namespace
}  // namespace lean::beacon
