#include "validator_client/keys/start_guard.h"

#include <map>
#include <optional>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/memory_signing_records.h"

namespace lean::validator {
namespace {

using Method = FakeBeacon::Method;

constexpr int64_t kStart = 10;
constexpr std::chrono::milliseconds kTimeout{500};

class StartGuardTest : public ::testing::Test {
 protected:
  void Start(const StartOptions& options, int64_t slot = kStart, size_t beacons = 1) {
    std::vector<RegisteredKey> registered;
    std::vector<ValidatorKey> keys;
    for (uint64_t i = 0; i < 2; ++i) {
      registered.push_back({i, FakePubkey(i), ""});
      keys.push_back({i, std::make_shared<FakeKey>(i), ""});
    }
    ExpectedNetwork expected;
    expected.xmss_log_lifetime = 16;
    const std::vector<BeaconClient*> clients{&beacon_, &second_};
    beacons_.emplace(std::vector<BeaconClient*>(clients.begin(), clients.begin() + static_cast<ptrdiff_t>(beacons)),
                     expected, registered, false, RunInline, log_.logger());
    signer_.emplace(keys, records_, limit_, [](std::function<void()> task) { task(); });
    ASSERT_TRUE(beacons_->Probe(0, kTimeout, [this] { return clock_.WallMs(); }).ok()) << beacons_->ready();
    votes_.emplace(clock_, *beacons_, *signer_, VerifyFake, log_.logger());
    guard_.emplace(
        *beacons_, *votes_, *signer_, [this] { return signer_->keys()->all(); }, SlotTime{slot, 1}, options,
        log_.logger());
  }

  // Returns why a key was refused, or "". Removes the key, as the owner of the guard does.
  std::string Step(int64_t slot, uint32_t interval) {
    ASSIGN_OR_RETURN(const auto refused, guard_->Step(SlotTime{slot, interval}, kTimeout), std::string(_.message()));
    std::string why;
    for (const StartGuard::Refused& key : refused) {
      EXPECT_TRUE(absl::IsFailedPrecondition(key.why)) << key.why;
      why += absl::StrCat(key.key.index, ": ", key.why.message(), "\n");
      signer_->Remove(key.key.key->pubkey());
    }
    return why;
  }

  void Record(uint64_t index, uint64_t slot) {
    ASSERT_TRUE(records_.Reserve({{FakePubkey(index), slot, FakeRoot(1)}}).ok());
  }

  ManualClock clock_{static_cast<int64_t>(kGenesisTime) * 1000 + 100};
  FakeBeacon beacon_{clock_, 2};
  FakeBeacon second_{clock_, 2, "fake:2"};
  CapturedLog log_;
  MemorySigningRecords records_;
  std::optional<BeaconPool> beacons_;
  NoSlotLimit limit_;
  std::optional<Signer> signer_;
  std::optional<ForeignVotes> votes_;
  std::optional<StartGuard> guard_;
};

TEST_F(StartGuardTest, BeforeGenesisNothingIsAsked) {
  Start({}, -1);
  EXPECT_TRUE(guard_->admitted());
  EXPECT_EQ(beacon_.calls[Method::kGetLiveness], 0);
}

TEST_F(StartGuardTest, WatchesTwoWholeSlotsAfterThatOfTheStart) {
  Start({.new_keys = true});
  for (int64_t slot = kStart; slot < kStart + kLeastWatchedSlots; ++slot) {
    for (uint32_t interval = 0; interval < 4; ++interval) {
      EXPECT_EQ(Step(slot, interval), "");
      EXPECT_FALSE(guard_->admitted());
    }
  }
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 2), "");
  EXPECT_FALSE(guard_->admitted());
  EXPECT_EQ(beacon_.calls[Method::kGetLiveness], 0);
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
  EXPECT_TRUE(guard_->admitted());
  EXPECT_EQ(log_.Count("no second client seen slots=10..12 validators=2"), 1) << log_.text();
}

TEST_F(StartGuardTest, WatchesAsManySlotsWhenTheClockWasAheadAtTheStart) {
  Start({.new_keys = true});
  EXPECT_EQ(Step(kStart - 8, 0), "");
  EXPECT_EQ(Step(kStart - 8 + kLeastWatchedSlots, 2), "");
  EXPECT_FALSE(guard_->admitted());
  EXPECT_EQ(Step(kStart - 8 + kLeastWatchedSlots, 3), "");
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, AKeyThatASecondClientSignsWithIsRefusedAlone) {
  Start({.new_keys = true});
  beacon_.seen_votes = {FakeVote(1, kStart + 1, 7)};
  EXPECT_TRUE(
      absl::StrContains(Step(kStart + kLeastWatchedSlots, 3), "1: another client works with its key: it has signed "))
      << log_.text();
  EXPECT_TRUE(guard_->admitted()) << "the other one";
  EXPECT_EQ(signer_->keys()->size(), 1);
}

TEST_F(StartGuardTest, AVoteInTheSlotOfTheStartIsASecondClientsUnlessItIsInTheRecords) {
  Start({.new_keys = true});
  beacon_.seen_votes = {FakeVote(0, kStart, 7), FakeVote(1, kStart, 7)};
  ASSERT_TRUE(records_.Reserve({{FakePubkey(1), kStart, ssz::HashTreeRoot(beacon_.seen_votes[1].message)}}).ok());
  EXPECT_TRUE(absl::StartsWith(Step(kStart + kLeastWatchedSlots, 3), "0: another client works with its key"));
  EXPECT_EQ(signer_->keys()->size(), 1);
}

// A claim without a vote proves nothing: it delays the start while no other beacon contradicts it.
TEST_F(StartGuardTest, ABareClaimRefusesNoKey) {
  Start({});
  beacon_.claimed_votes = {{0, 3}, {1, 1'000'000}};
  for (int64_t slot = kStart; slot < kStart + 40; ++slot) EXPECT_EQ(Step(slot, 3), "");
  EXPECT_FALSE(guard_->admitted());
  EXPECT_EQ(log_.Count("votes claimed and not shown beacon=fake:1 validators=2"), 1) << log_.text();
  beacon_.claimed_votes.clear();
  for (int64_t slot = kStart + 40; slot < kStart + 43; ++slot) EXPECT_EQ(Step(slot, 3), "");
  EXPECT_TRUE(guard_->admitted());
  EXPECT_EQ(signer_->keys()->size(), 2);
}

TEST_F(StartGuardTest, OneBeaconThatSeesNothingIsEnoughAgainstClaims) {
  Start({}, kStart, /*beacons=*/2);
  beacon_.claimed_votes = {{0, 3}, {1, 1'000'000}};
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
  EXPECT_TRUE(guard_->admitted()) << log_.text();
}

TEST_F(StartGuardTest, OneBeaconThatShowsAVoteIsEnoughAgainstOthersThatDoNot) {
  Start({.new_keys = true}, kStart, /*beacons=*/2);
  second_.seen_votes = {FakeVote(1, kStart + 1, 7)};
  EXPECT_TRUE(absl::StartsWith(Step(kStart + kLeastWatchedSlots, 3), "1: another client works with its key"));
}

// An answer with something else than a vote of the key for the requested slots does not count.
TEST_F(StartGuardTest, AVoteThatIsNotTheKeysProvesNothing) {
  SignedAttestation forged = FakeVote(1, kStart + 1, 7);
  forged.signature.data[0] ^= 1;
  const SignedAttestation others = FakeVote(0, kStart + 1, 7);
  SignedAttestation moved = FakeVote(1, kStart - 1, 7);
  SignedAttestation relabelled = FakeVote(1, kStart - 1, 7);
  relabelled.message.data.slot = kStart + 1;
  for (const SignedAttestation& vote : {forged, others, moved, relabelled}) {
    Start({.new_keys = true});
    beacon_.bend_liveness = [&vote](std::vector<Liveness>& answer) {
      answer[1] = {true, kStart + 1, std::make_shared<const SignedAttestation>(vote)};
    };
    EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
    EXPECT_FALSE(guard_->admitted());
    beacon_.bend_liveness = nullptr;
    EXPECT_EQ(Step(kStart + kLeastWatchedSlots + 1, 0), "");
    EXPECT_TRUE(guard_->admitted());
  }
  EXPECT_EQ(log_.Count("liveness unknown beacon=fake:1"), 4) << log_.text();
}

TEST_F(StartGuardTest, TheBeaconIsToldWhatNeedNotBeShown) {
  Record(0, kStart);
  Start({});
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
  const LivenessQuery& query = beacon_.liveness_queries.back();
  EXPECT_EQ(query.from_slot, kStart);
  EXPECT_EQ(query.indices, (std::vector<uint64_t>{0, 1}));
  EXPECT_EQ(query.known_roots, std::vector<Root>{FakeRoot(1)});
}

TEST(WatchLength, IsDrawnFromAllLengthsAlike) {
  std::mt19937_64 random(1);
  std::map<int64_t, int> drawn;
  constexpr int kDraws = 16'000;
  for (int i = 0; i < kDraws; ++i) ++drawn[DrawWatchedSlots(random)];
  EXPECT_EQ(drawn.begin()->first, kLeastWatchedSlots);
  EXPECT_EQ(drawn.rbegin()->first, kMostWatchedSlots);
  EXPECT_EQ(drawn.size(), 16);
  for (const auto& [slots, count] : drawn) EXPECT_NEAR(count, kDraws / 16, 150) << slots;
}

TEST_F(StartGuardTest, AVoteBeforeTheStartIsNoSecondClient) {
  Start({.new_keys = true});
  beacon_.seen_votes = {FakeVote(1, kStart - 1, 7)};
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, AVoteThatTheRecordsExplainIsNoSecondClient) {
  // The key was moved here within one slot. Its vote of that slot is in the records that were moved with it.
  Record(0, kStart);
  Record(1, kStart);
  Start({});
  beacon_.claimed_votes[1] = kStart;
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, AKeyWithVotesAndWithoutRecordsIsRefused) {
  Record(0, 4);
  Start({.watch = false});
  beacon_.seen_votes = {FakeVote(0, 4, 7), FakeVote(1, 3, 7)};
  EXPECT_EQ(Step(kStart, 1),
            "1: it has voted on this chain, last seen in slot 3, and there are no records of it here: import its "
            "records, or use --new-keys if no other machine has signed with it\n");
  EXPECT_TRUE(guard_->admitted()) << "the other one";
}

TEST_F(StartGuardTest, AVoteInSlotZeroIsAHistory) {
  Start({.watch = false});
  beacon_.seen_votes = {FakeVote(1, 0, 7)};
  EXPECT_NE(Step(kStart, 1), "");
}

TEST_F(StartGuardTest, KeysWithoutVotesOrWithRecordsBegin) {
  Record(0, 4);
  Start({.watch = false});
  beacon_.seen_votes = {FakeVote(0, 4, 7)};
  EXPECT_FALSE(guard_->admitted());
  EXPECT_EQ(Step(kStart, 1), "");
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
  EXPECT_EQ(Step(kStart, 1), "");
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, AKeyThatDidNotSignWithTheOthersIsWatchedFor) {
  Record(0, 9);
  Start({.new_keys = true, .resumed = true});
  EXPECT_EQ(Step(kStart, 1), "");
  EXPECT_FALSE(guard_->admitted()) << "it has just come";
  Record(1, 7);
  Start({.resumed = true});
  EXPECT_EQ(Step(kStart, 1), "");
  EXPECT_FALSE(guard_->admitted()) << "it was away";
}

TEST_F(StartGuardTest, ABeaconThatCannotTellIsAskedAgain) {
  Start({});
  beacon_.fail[Method::kGetLiveness] = absl::UnavailableError("syncing");
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
  EXPECT_FALSE(guard_->admitted());
  EXPECT_GE(log_.Count("liveness unknown"), 1) << log_.text();
  beacon_.fail.clear();
  beacon_.bend_liveness = [](std::vector<Liveness>& answer) { answer.pop_back(); };
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots + 1, 0), "");
  EXPECT_FALSE(guard_->admitted()) << "an answer that leaves a key out";
  beacon_.bend_liveness = nullptr;
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots + 1, 1), "");
  EXPECT_TRUE(guard_->admitted());
}

TEST_F(StartGuardTest, ABeaconThatIsNotReadyIsNotAsked) {
  Start({});
  beacons_->MarkFailed(*beacons_->Usable().front(), absl::UnavailableError("gone"));
  EXPECT_EQ(Step(kStart + kLeastWatchedSlots, 3), "");
  EXPECT_FALSE(guard_->admitted());
  EXPECT_EQ(beacon_.calls[Method::kGetLiveness], 0);
}

}  // namespace
}  // namespace lean::validator
