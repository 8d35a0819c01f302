#include "validator_client/beacons/beacon_pool.h"

#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "validator_client/beacons/beacon_client.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Method = FakeBeacon::Method;
using Status = SubmitResult::Status;

constexpr milliseconds kStage{1000};

// Two beacons and one key, at the start of kSlot. Calls run one after the other.
class BeaconPoolTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kSlot = 20;

  BeaconPoolTest() {
    for (FakeBeacon* beacon : {&first_, &second_}) SetHead(*beacon, kSlot - 1);
  }

  void Make(bool broadcast = false, ExpectedNetwork expected = {}) {
    expected.xmss_log_lifetime = 16;
    const std::vector<RegisteredKey> keys{{0, FakePubkey(0), "keys.yaml:1"}};
    pool_.emplace(std::vector<BeaconClient*>{&first_, &second_}, expected, keys, broadcast, RunInline, log_.logger());
  }
  absl::Status Probe() {
    return pool_->Probe(kSlot, milliseconds(500), [this] { return clock_.WallMs(); });
  }
  static void SetHead(FakeBeacon& beacon, uint64_t slot) {
    beacon.bend_duties = [slot](DutiesAnswer& answer) { answer.head_slot = slot; };
  }

  // A stage of a duty that starts now.
  BeaconPool::Remaining Stage() {
    const SteadyTime end = clock_.Steady() + kStage;
    return [this, end] { return std::chrono::duration_cast<milliseconds>(end - clock_.Steady()); };
  }
  // The beacon that built it.
  absl::StatusOr<size_t> BuildVote() {
    const auto check = [](const BeaconSession&, const VoteDataAnswer& answer) {
      return answer.data.slot == kSlot ? absl::OkStatus() : absl::FailedPreconditionError("another slot");
    };
    ASSIGN_OR_RETURN(const BuiltVote vote, pool_->BuildVote(kSlot, Stage(), check));
    return vote.builder;
  }
  // Of the first beacon. Both have its parent.
  BuiltBlock Build() {
    const AttestationData parent = first_.BuildVote(kSlot - 1, genesis_, kStage)->data;
    for (FakeBeacon* beacon : {&first_, &second_}) {
      for (const Checkpoint& block : {parent.target, parent.source}) beacon->held_blocks[block.root] = block.slot;
      beacon->held_blocks[FakeRoot(0x44)] = kSlot - 1;
    }
    const auto any = [](const BeaconSession&, const BuiltBlockAnswer&) { return absl::OkStatus(); };
    BuiltBlock built = pool_->BuildBlock(kSlot, 0, Stage(), any).value();
    EXPECT_EQ(built.builder, 0);
    return built;
  }
  absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(size_t builder) {
    return pool_->SubmitVotes(std::vector<SignedAttestation>(2), builder, Stage());
  }

  const Root genesis_ = FakeRoot(0x11);
  ManualClock clock_{kGenesisMs + static_cast<int64_t>(kSlot * kSlotMs)};
  FakeBeacon first_{clock_, 4, "first:1"};
  FakeBeacon second_{clock_, 4, "second:2"};
  CapturedLog log_;
  std::optional<BeaconPool> pool_;
};

TEST_F(BeaconPoolTest, WorksWithTheFirstWhileItIsGood) {
  Make();
  EXPECT_FALSE(pool_->ready().ok());
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(*BuildVote(), 0);
  EXPECT_EQ(second_.calls[Method::kGetDuties], 1);
  EXPECT_EQ(log_.Count("info beacon in use beacon=first:1 place=1 of=2"), 1) << log_.text();
}

TEST_F(BeaconPoolTest, GoesToTheSecondAndComesBack) {
  Make();
  first_.fail[Method::kGetDuties] = absl::UnavailableError("connection refused");
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(*BuildVote(), 1);
  EXPECT_EQ(first_.calls[Method::kBuildVote], 0) << "it is not asked within a duty";
  first_.fail.clear();
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(*BuildVote(), 0);
  EXPECT_EQ(log_.Count("beacon in use beacon=second:2"), 1);
  EXPECT_EQ(log_.Count("beacon in use beacon=first:1"), 1);
}

TEST_F(BeaconPoolTest, LeavesTimeForTheSecondWhenTheFirstHangsWithinTheDuty) {
  Make();
  ASSERT_TRUE(Probe().ok());
  first_.slow[Method::kBuildVote] = milliseconds(60'000);
  const SteadyTime begin = clock_.Steady();
  EXPECT_EQ(*BuildVote(), 1);
  EXPECT_EQ(clock_.Steady() - begin, kStage / 2);
  EXPECT_EQ(*BuildVote(), 1);
  EXPECT_EQ(first_.calls[Method::kBuildVote], 1) << "it is left alone until a good probe";
}

TEST_F(BeaconPoolTest, PassesOverOneWhoseAnswerIsNoGood) {
  Make();
  ASSERT_TRUE(Probe().ok());
  first_.bend_vote = [](VoteDataAnswer& answer) { answer.data.slot = 3; };
  EXPECT_EQ(*BuildVote(), 1);
  EXPECT_EQ(
      log_.Count("warning beacon passed over beacon=first:1 slot=20 reason=\"failed_precondition: another slot\""), 1);
}

TEST_F(BeaconPoolTest, LeavesALaggingOneUntilItHasCaughtUp) {
  Make();
  ASSERT_TRUE(Probe().ok());
  ASSERT_TRUE(BuildVote().ok()) << "both know the head of this slot";
  SetHead(first_, kSlot - 6);
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(*BuildVote(), 1);
  SetHead(first_, kSlot);
  SetHead(second_, kSlot);
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(*BuildVote(), 0);
}

TEST_F(BeaconPoolTest, AsksALaggingOneWhenTheGoodOneIsSilent) {
  Make();
  ASSERT_TRUE(Probe().ok());
  ASSERT_TRUE(BuildVote().ok());
  SetHead(first_, 0);
  ASSERT_TRUE(Probe().ok());
  second_.slow[Method::kBuildVote] = milliseconds(60'000);
  EXPECT_EQ(*BuildVote(), 0);
}

TEST_F(BeaconPoolTest, AHeadOnWhichNothingGoodIsBuiltKeepsNobodyOut) {
  Make();
  SetHead(first_, kSlot - 6);
  ASSERT_TRUE(Probe().ok());
  second_.bend_vote = [](VoteDataAnswer& answer) { answer.data.slot = 3; };
  EXPECT_EQ(*BuildVote(), 0);
}

TEST_F(BeaconPoolTest, IsNotMisledByAHeadFromTheFuture) {
  Make();
  SetHead(second_, kSlot + 1000);
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(*BuildVote(), 0);
  EXPECT_EQ(log_.Count("the beacon names a head of slot 1020, it is slot 20 now"), 1) << log_.text();
}

TEST_F(BeaconPoolTest, NeverWorksWithAnotherGenesis) {
  const Root root = FakeNetwork(4).genesis_block_root;
  Make(false, {.genesis_block_root = root, .network = std::nullopt});
  first_.genesis_block_root = FakeRoot(0x99);
  second_.genesis_block_root = root;
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(pool_->network()->genesis_block_root, root);
  EXPECT_EQ(*BuildVote(), 1);
  second_.fail[Method::kBuildVote] = absl::UnavailableError("gone");
  EXPECT_FALSE(BuildVote().ok());
  EXPECT_EQ(first_.calls[Method::kBuildVote], 0);
}

TEST_F(BeaconPoolTest, TheFirstThatAnswersTellsTheNetworkForAll) {
  Make();
  first_.fail[Method::kGetDuties] = absl::UnavailableError("gone");
  ASSERT_TRUE(Probe().ok());
  first_.fail.clear();
  first_.genesis_block_root = FakeRoot(0x99);
  ASSERT_TRUE(Probe().ok());
  EXPECT_EQ(pool_->network()->genesis_block_root, FakeRoot(0x11));
  EXPECT_EQ(*BuildVote(), 1);
}

TEST_F(BeaconPoolTest, AKeyMissingInOneRegistryIsThatBeaconsFault) {
  Make();
  first_.bend_duties = [](DutiesAnswer& answer) { answer.duties[0] = {false, {}}; };
  EXPECT_TRUE(Probe().ok());
  EXPECT_EQ(*BuildVote(), 1);
}

TEST_F(BeaconPoolTest, AKeyMissingInEveryRegistryIsTheOperatorsToMend) {
  Make();
  first_.bend_duties = second_.bend_duties = [](DutiesAnswer& answer) { answer.duties[0] = {false, {}}; };
  EXPECT_EQ(Probe().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(BeaconPoolTest, AnErrorNamesEveryBeaconThatWasTried) {
  Make();
  ASSERT_TRUE(Probe().ok());
  first_.fail[Method::kBuildVote] = absl::UnavailableError("connection refused");
  second_.fail[Method::kBuildVote] = absl::ResourceExhaustedError("too busy");
  const absl::Status status = BuildVote().status();
  EXPECT_EQ(status.message(), "first:1: build: connection refused; second:2: build: too busy");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(BeaconPoolTest, HandsInToTheBuilderAndToAnother) {
  Make();
  ASSERT_TRUE(Probe().ok());
  const auto results = SubmitVotes(1);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->size(), 2);
  EXPECT_EQ(first_.votes.size(), 2) << "the builder alone could make them disappear";
  EXPECT_EQ(second_.votes.size(), 2);
}

TEST_F(BeaconPoolTest, HandsInTheSameToTheNextWhenTheBuilderIsGone) {
  Make();
  ASSERT_TRUE(Probe().ok());
  first_.slow[Method::kSubmitBlock] = milliseconds(60'000);
  const BuiltBlock block = Build();
  const auto result = pool_->SubmitBlock(block, SignatureBytes{}, Stage());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, Status::kAccepted);
  ASSERT_EQ(second_.blocks.size(), 1);
  EXPECT_EQ(second_.blocks[0].message.block, block.answer.block) << "it is here whole";
  EXPECT_EQ(second_.blocks[0].signature.size(), 2);
}

TEST_F(BeaconPoolTest, TheKeeperOfABlockGetsTheSignatureAndTheOtherBeaconAllOfIt) {
  Make();
  ASSERT_TRUE(Probe().ok());
  ASSERT_TRUE(pool_->SubmitBlock(Build(), SignatureBytes{}, Stage()).ok());
  EXPECT_EQ(first_.block_forms, std::vector{BlockForm::kWhole});
  EXPECT_EQ(first_.kept_blocks, 1);
  EXPECT_EQ(second_.kept_blocks, 0);
  ASSERT_EQ(first_.blocks.size(), 1);
  EXPECT_EQ(first_.blocks, second_.blocks);
}

TEST_F(BeaconPoolTest, ABeaconThatKeepsTheBlockNoMoreGetsAllOfIt) {
  Make();
  ASSERT_TRUE(Probe().ok());
  const BuiltBlock block = Build();
  first_.keeps_blocks = false;  // it was started again
  ASSERT_TRUE(pool_->SubmitBlock(block, SignatureBytes{}, Stage()).ok());
  EXPECT_EQ(first_.kept_blocks, 0);
  EXPECT_EQ(first_.blocks.size(), 1);
}

TEST_F(BeaconPoolTest, HandsInToTheNextWhatTheBuilderDidNotTake) {
  Make();
  ASSERT_TRUE(Probe().ok());
  first_.bend_results = [](std::vector<SubmitResult>& results) {
    results[0] = {Status::kRefused, "OVERLOADED", "try again"};
  };
  second_.bend_results = [](std::vector<SubmitResult>& results) {
    results[1] = {Status::kQueued, "UNKNOWN_BLOCK", ""};
  };
  const auto results = SubmitVotes(0);
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].status, Status::kAccepted) << "by the second";
  EXPECT_EQ((*results)[1].status, Status::kAccepted) << "by the first";
}

TEST_F(BeaconPoolTest, BroadcastGoesToAllOfOurNetwork) {
  Make(true);
  SetHead(first_, 0);  // the beacon is behind, and catches up here
  ASSERT_TRUE(Probe().ok());
  ASSERT_TRUE(SubmitVotes(1).ok());
  EXPECT_EQ(first_.votes.size(), 2);
  EXPECT_EQ(second_.votes.size(), 2);

  first_.genesis_block_root = FakeRoot(0x99);
  ASSERT_TRUE(Probe().ok());
  ASSERT_TRUE(SubmitVotes(1).ok());
  EXPECT_EQ(first_.votes.size(), 2) << "it works on another network now";
  EXPECT_EQ(second_.votes.size(), 4);
}

TEST_F(BeaconPoolTest, BroadcastFailsOnlyWhenAllFail) {
  Make(true);
  ASSERT_TRUE(Probe().ok());
  first_.fail[Method::kSubmitVotes] = absl::UnavailableError("connection refused");
  EXPECT_TRUE(SubmitVotes(0).ok());
  second_.fail[Method::kSubmitVotes] = absl::UnavailableError("connection reset");
  const auto results = SubmitVotes(0);
  EXPECT_EQ(results.status().message(), "first:1: connection refused; second:2: connection reset");
  EXPECT_FALSE(pool_->ready().ok());
}

TEST(AllTaken, IsTrueOnlyWhenEveryItemIsInAChain) {
  EXPECT_TRUE(AllTaken({{Status::kAccepted, "", ""}, {Status::kAlreadyKnown, "", ""}}));
  EXPECT_FALSE(AllTaken({{Status::kAccepted, "", ""}, {Status::kQueued, "UNKNOWN_PARENT", ""}}));
  EXPECT_FALSE(AllTaken({{Status::kRefused, "STALE", ""}}));
}

TEST(BetterOf, TakesTheBetterResultOfEachItem) {
  const auto better =
      BetterOf({{Status::kRefused, "STALE", ""}, {Status::kAccepted, "", ""}, {Status::kQueued, "Q", ""}},
               {{Status::kQueued, "EARLY", ""}, {Status::kRefused, "R", ""}, {Status::kRefused, "", ""}});
  ASSERT_EQ(better.size(), 3);
  EXPECT_EQ(better[0].status, Status::kQueued);
  EXPECT_EQ(better[0].reason, "EARLY");
  EXPECT_EQ(better[1].status, Status::kAccepted);
  EXPECT_EQ(better[2].reason, "Q");
}

}  // namespace
}  // namespace lean::validator
