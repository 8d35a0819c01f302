#include "validator_client/duties/validator_service.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/memory_signing_records.h"
#include "tests/validator_client/support/running_client.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Method = FakeBeacon::Method;

// Two validators, both ours, with a manual clock.
class ValidatorServiceTest : public ::testing::Test {
 protected:
  // Passes the first slots, because most of these tests are not about the start.
  void Start(ExpectedNetwork expected = {}) { Start({.new_keys = true, .watch = false}, std::move(expected)); }
  void Start(const StartOptions& options, ExpectedNetwork expected = {}) {
    std::vector<ValidatorKey> keys;
    for (uint64_t i = 0; i < 2; ++i) {
      fakes_.push_back(std::make_shared<FakeKey>(i));
      keys.push_back({i, fakes_.back(), "keys.yaml:" + std::to_string(3 * i + 1)});
    }
    client_.Start(keys, options, std::move(expected));
  }

  void RunTo(int64_t ms) { client_.RunTo(ms); }
  void RunToSlot(int64_t slot) { RunTo(slot * kSlotLength); }

  // The network of a genesis folder.
  ExpectedNetwork CheckedNetwork() {
    const NetworkIdentity network = FakeNetwork(2);
    beacon_.genesis_block_root = network.genesis_block_root;
    return {.genesis_block_root = network.genesis_block_root, .network = network};
  }

  uint64_t HighestSigned() const {
    uint64_t highest = 0;
    for (const auto& key : fakes_) {
      for (const auto& [slot, root] : key->signed_roots()) highest = std::max(highest, slot);
    }
    return highest;
  }

  std::set<uint64_t> BlockSlots() const {
    std::set<uint64_t> slots;
    for (const auto& block : beacon_.blocks) slots.insert(block.message.block.slot);
    return slots;
  }

  // There is one vote per validator and slot and one block per slot, and no key has signed two roots in one slot.
  void ExpectNoLeafTwice() const {
    for (const auto& key : fakes_) {
      std::map<uint64_t, Root> roots;
      for (const auto& [slot, root] : key->signed_roots()) {
        EXPECT_EQ(roots.try_emplace(slot, root).first->second, root) << "slot " << slot;
      }
    }
  }

  MemorySigningRecords records_;
  std::vector<std::shared_ptr<FakeKey>> fakes_;
  RunningClient client_{kGenesisMs + 5 * kSlotLength + 100, 2, records_};
  ManualClock& clock_ = client_.clock();
  FakeBeacon& beacon_ = client_.beacon();
  CapturedLog& log_ = client_.log();
};

TEST_F(ValidatorServiceTest, DoesEveryDutyFromTheSlotAfterItsFirst) {
  Start();
  RunToSlot(10);
  EXPECT_EQ(BlockSlots(), (std::set<uint64_t>{6, 7, 8, 9, 10}));
  std::set<std::pair<uint64_t, uint64_t>> votes;
  for (const auto& vote : beacon_.votes) votes.insert({vote.message.data.slot, vote.message.validator_id});
  EXPECT_EQ(votes, (std::set<std::pair<uint64_t, uint64_t>>{{6, 1}, {7, 0}, {8, 1}, {9, 0}}));
  ExpectNoLeafTwice();
  EXPECT_EQ(log_.Count("duties begin validators=2 slot=5 first_slot=6"), 1) << log_.text();
  EXPECT_EQ(log_.Count("votes skipped slot=5"), 1);
  EXPECT_TRUE(client_.Stop().ok());
}

TEST_F(ValidatorServiceTest, BeginsAtGenesisWhenStartedBefore) {
  clock_.SetWallMs(kGenesisMs - 10'000);
  beacon_.offset_ms = -5 * kSlotLength - 100 - 10'000;
  Start();
  clock_.AwaitWaiters(1);
  for (int i = 0; i < 40 && beacon_.blocks.empty(); ++i) {
    clock_.Advance(milliseconds(500));
    clock_.AwaitWaiters(1);
  }
  EXPECT_EQ(BlockSlots(), (std::set<uint64_t>{1}));
  std::set<uint64_t> voters;
  for (const auto& vote : beacon_.votes) {
    EXPECT_EQ(vote.message.data.slot, 0);
    voters.insert(vote.message.validator_id);
  }
  EXPECT_EQ(voters, (std::set<uint64_t>{0, 1})) << "slot 0 has no proposal, so its proposer votes too";
  EXPECT_EQ(log_.Count("waiting for genesis until=2023-11-14T22:13:20+00:00 seconds=10: duties begin with slot 0"), 1)
      << log_.text();
}

TEST_F(ValidatorServiceTest, GoesOnWhenTheWallClockJumpsBack) {
  Start();
  RunToSlot(7);
  clock_.SetWallMs(kGenesisMs);
  RunToSlot(10);
  EXPECT_EQ(BlockSlots(), (std::set<uint64_t>{6, 7, 8, 9, 10}));
  EXPECT_EQ(log_.Count("warning wall clock jumped by_ms=-28"), 1) << log_.text();
  ExpectNoLeafTwice();
}

TEST_F(ValidatorServiceTest, GoesOnWhenTheWallClockJumpsForward) {
  Start();
  RunToSlot(7);
  clock_.SetWallMs(kGenesisMs + 1'000'000'000);
  RunToSlot(10);
  EXPECT_EQ(BlockSlots(), (std::set<uint64_t>{6, 7, 8, 9, 10}));
  EXPECT_EQ(log_.Count("intervals skipped"), 0) << log_.text();
}

TEST_F(ValidatorServiceTest, FollowsTheWallClockWhenTheBeaconAgreesWithIt) {
  Start();
  RunToSlot(7);
  // Our clock was wrong and was corrected: the beacon had the right time all along.
  const int64_t jump = 20 * kSlotLength;
  beacon_.offset_ms = jump;
  clock_.SetWallMs(clock_.WallMs() + jump);
  RunToSlot(10);  // slot 30 by the right time
  EXPECT_EQ(log_.Count("warning wall clock followed jumped_ms=+80000"), 1) << log_.text();
  EXPECT_EQ(log_.Count("intervals skipped"), 1) << log_.text();
  EXPECT_TRUE(BlockSlots().contains(29)) << log_.text();
  ExpectNoLeafTwice();
}

TEST_F(ValidatorServiceTest, SignsNothingFarAheadOnABeaconsWord) {
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.genesis_time -= 5000 * kSlotMs / 1000; };
  Start();
  RunToSlot(12);
  EXPECT_EQ(HighestSigned(), 0);
  EXPECT_GE(log_.Count("as far as records and own clock reach: name the network by --genesis"), 1) << log_.text();
  EXPECT_EQ(beacon_.calls[Method::kBuildVote], 0) << "it is not asked in vain";
}

TEST_F(ValidatorServiceTest, SignsFarFromItsRecordsForACheckedGenesis) {
  const int64_t far = 50'000 * kSlotLength;
  clock_.SetWallMs(clock_.WallMs() + far);
  beacon_.offset_ms = far;
  ExpectedNetwork root_alone = CheckedNetwork();
  root_alone.network.reset();
  Start(root_alone);
  RunToSlot(10);  // 50,010 by the wall clock
  EXPECT_EQ(HighestSigned(), 50'010) << log_.text();
}

TEST_F(ValidatorServiceTest, AClockHoursAheadBurnsNoKeyWhoeverAgreesWithIt) {
  Start(CheckedNetwork());
  RunToSlot(7);
  const int64_t jump = 3000 * kSlotLength;
  beacon_.offset_ms = jump;
  clock_.SetWallMs(clock_.WallMs() + jump);
  RunToSlot(12);
  EXPECT_EQ(log_.Count("warning wall clock followed jumped_ms=+12000000"), 1) << log_.text();
  EXPECT_GE(log_.Count("the time jumped. Set it right and start again"), 1) << log_.text();
  EXPECT_LE(HighestSigned(), 12);
  beacon_.offset_ms = 0;
  clock_.SetWallMs(clock_.WallMs() - jump);
  RunToSlot(16);
  EXPECT_TRUE(BlockSlots().contains(15)) << log_.text();
  ExpectNoLeafTwice();
}

TEST_F(ValidatorServiceTest, SkipsWhatItSleptThroughAndSaysSo) {
  Start();
  RunToSlot(7);
  clock_.AwaitWaiters(1);
  clock_.Advance(milliseconds(5 * kSlotLength + 1500));  // suspended
  RunToSlot(14);
  EXPECT_EQ(BlockSlots(), (std::set<uint64_t>{6, 7, 13, 14}));
  EXPECT_EQ(log_.Count("error intervals skipped missed=20 slot=12 interval=1"), 1) << log_.text();
  ExpectNoLeafTwice();
}

// Somebody may have taken this machine for lost and started another one with the keys.
TEST_F(ValidatorServiceTest, WatchesAnewAfterALongSleep) {
  Start({.new_keys = true, .watch = true, .resumed = true});
  RunToSlot(10);
  ASSERT_TRUE(BlockSlots().contains(9)) << log_.text();
  clock_.AwaitWaiters(1);
  clock_.Advance(milliseconds(60 * kSlotLength));
  RunToSlot(70 + kLeastWatchedSlots);
  EXPECT_LE(HighestSigned(), 10) << log_.text();
  EXPECT_EQ(log_.Count("watching for a second client slot=70"), 1) << log_.text();
  RunToSlot(70 + kLeastWatchedSlots + 3);
  EXPECT_TRUE(BlockSlots().contains(70 + kLeastWatchedSlots + 2)) << log_.text();
  ExpectNoLeafTwice();
}

TEST_F(ValidatorServiceTest, WatchesWhenItsClockWasBeforeGenesisAtTheStart) {
  clock_.SetWallMs(kGenesisMs - 10'000);
  const int64_t behind = 5 * kSlotLength + 100 + 10'000;
  Start({.new_keys = true, .watch = true}, CheckedNetwork());
  client_.Pass(milliseconds(1000));
  EXPECT_EQ(log_.Count("waiting for genesis"), 1) << log_.text();
  EXPECT_EQ(log_.Count("watching for a second client"), 0);
  clock_.SetWallMs(clock_.WallMs() + behind);
  client_.Pass(milliseconds(2 * kSlotLength));
  EXPECT_EQ(log_.Count("warning wall clock followed"), 1) << log_.text();
  EXPECT_EQ(log_.Count("watching for a second client"), 1) << log_.text();
  EXPECT_EQ(HighestSigned(), 0) << log_.text();
  client_.Pass(milliseconds((kLeastWatchedSlots + 2) * kSlotLength));
  EXPECT_GT(HighestSigned(), 5) << log_.text();
}

TEST_F(ValidatorServiceTest, ARemovedKeyOfTheStartIsFreed) {
  Start();
  RunToSlot(7);
  const std::weak_ptr<FakeKey> key = fakes_[1];
  const PublicKeyBytes pubkey = fakes_[1]->pubkey();
  fakes_.pop_back();
  clock_.AwaitWaiters(1);
  ASSERT_TRUE(client_.keys().Remove(pubkey).has_value());
  client_.keys().Forget(pubkey);
  RunToSlot(9);
  EXPECT_TRUE(key.expired());
}

TEST_F(ValidatorServiceTest, WaitsForABeaconThatComesLater) {
  beacon_.fail[Method::kGetDuties] = absl::UnavailableError("connection refused");
  Start();
  RunToSlot(8);
  EXPECT_GE(beacon_.calls[Method::kGetDuties], 4) << "it keeps trying";
  EXPECT_LE(beacon_.calls[Method::kGetDuties], 12) << "with growing delays";
  EXPECT_EQ(log_.Count("beacon not usable"), 1) << log_.text();
  beacon_.fail.clear();
  RunToSlot(13);
  EXPECT_TRUE(BlockSlots().contains(12));
}

TEST_F(ValidatorServiceTest, ResumesAfterTheBeaconWasGone) {
  Start();
  RunToSlot(7);
  for (const Method method : {Method::kGetDuties, Method::kBuildBlock, Method::kBuildVote}) {
    beacon_.fail[method] = absl::UnavailableError("connection refused");
  }
  RunToSlot(10);
  EXPECT_EQ(log_.Count("error block failed slot=8 "), 1) << log_.text();
  EXPECT_EQ(log_.Count("error votes failed slot=8 votes=2 reason=\"unavailable: "), 1) << log_.text();
  beacon_.fail.clear();
  RunToSlot(12);
  EXPECT_TRUE(BlockSlots().contains(11)) << log_.text();
  EXPECT_TRUE(BlockSlots().contains(12));
  EXPECT_EQ(log_.Count("beacon ready"), 2) << log_.text();
  ExpectNoLeafTwice();
}

TEST_F(ValidatorServiceTest, ABeaconBackBetweenTwoTicksIsFoundByTheNextDuty) {
  Start();
  RunToSlot(7);
  beacon_.fail[Method::kBuildVote] = absl::UnavailableError("connection refused");
  beacon_.fail[Method::kGetDuties] = absl::UnavailableError("connection refused");
  RunTo(7 * kSlotLength + 3900);
  beacon_.fail.clear();
  RunTo(8 * kSlotLength + 100);
  EXPECT_TRUE(BlockSlots().contains(8)) << log_.text();
}

TEST_F(ValidatorServiceTest, AHungBeaconHoldsUpNoTick) {
  Start();
  RunToSlot(7);
  for (const Method method : {Method::kGetDuties, Method::kBuildBlock, Method::kBuildVote}) {
    beacon_.slow[method] = milliseconds(1'000'000);
  }
  RunToSlot(12);
  EXPECT_EQ(log_.Count("intervals skipped"), 0) << log_.text();
  for (const milliseconds timeout : beacon_.timeouts) EXPECT_LE(timeout, milliseconds(2000));
  beacon_.slow.clear();
  RunToSlot(14);
  EXPECT_TRUE(BlockSlots().contains(13)) << log_.text();
}

TEST_F(ValidatorServiceTest, DoesNoDutyForAnotherGenesisAndComesBackToItsOwn) {
  Start();
  RunToSlot(7);
  const Root own = beacon_.genesis_block_root;
  beacon_.genesis_block_root = FakeRoot(0x99);
  RunTo(7 * kSlotLength + 3500);  // the probe of interval 3 has seen it
  const size_t blocks = beacon_.blocks.size();
  RunToSlot(10);
  EXPECT_EQ(beacon_.blocks.size(), blocks);
  EXPECT_EQ(log_.Count("warning beacon not usable beacon=fake:1 reason=\"failed_precondition: the beacon has genesis"),
            1);
  beacon_.genesis_block_root = own;
  RunToSlot(12);
  EXPECT_TRUE(BlockSlots().contains(12)) << log_.text();
}

TEST_F(ValidatorServiceTest, SignsNothingWhileClocksAreApart) {
  Start();
  RunToSlot(7);
  beacon_.offset_ms = 3 * kSlotLength;
  RunTo(7 * kSlotLength + 3500);
  const size_t signatures = fakes_[0]->signed_roots().size() + fakes_[1]->signed_roots().size();
  RunToSlot(9);
  EXPECT_EQ(fakes_[0]->signed_roots().size() + fakes_[1]->signed_roots().size(), signatures) << log_.text();
}

TEST_F(ValidatorServiceTest, EndsWithFileAndLineOfAKeyThatTheRegistryDoesNotHave) {
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.duties[1] = {false, {}}; };
  Start();
  const absl::Status result = client_.Await();
  EXPECT_EQ(result.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(result.message(), "keys.yaml:4: the beacon's registry has another key at index 1, and 0x0202…02 nowhere");
}

TEST_F(ValidatorServiceTest, StopsWhileItWaitsForABeacon) {
  beacon_.fail[Method::kGetDuties] = absl::UnavailableError("connection refused");
  Start();
  clock_.AwaitWaiters(1);
  EXPECT_TRUE(client_.Stop().ok());
}

TEST_F(ValidatorServiceTest, EndsWhenOthersSignWithAllOfItsKeys) {
  Start();
  RunTo(9 * kSlotLength - kSlotLength / 4 - 100);
  beacon_.seen_votes = {FakeVote(0, 8, 7), FakeVote(1, 8, 7)};
  clock_.Advance(milliseconds(200));  // into interval 3
  const absl::Status end = client_.Await();
  EXPECT_TRUE(absl::IsFailedPrecondition(end)) << end;
  EXPECT_NE(end.message().find("another client signs with the key: it has signed 0x"), std::string::npos) << end;
  EXPECT_EQ(BlockSlots(), (std::set<uint64_t>{6, 7, 8}));
}

TEST_F(ValidatorServiceTest, ClaimsWithoutAVoteEndNothing) {
  Start();
  beacon_.claimed_votes = {{0, 1'000'000}, {1, 7}};
  RunToSlot(12);
  EXPECT_EQ(BlockSlots(), (std::set<uint64_t>{6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(log_.Count("votes claimed and not shown"), 1) << log_.text();
  EXPECT_TRUE(client_.Stop().ok());
}

}  // namespace
}  // namespace lean::validator
