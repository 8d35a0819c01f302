// Keys that are added and removed while a client runs, with a manual clock.
#include "validator_client/keys/live_keys.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "common/clock/manual_clock.h"
#include "gtest/gtest.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/memory_signing_records.h"
#include "tests/validator_client/support/running_client.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;
using Method = FakeBeacon::Method;

constexpr int64_t kStart = 5;  // slot of the start; duties start in the next one

// Three validators; 0 and 1 are ours from the start.
class LiveKeysTest : public ::testing::Test {
 protected:
  LiveKeysTest() {
    for (uint64_t i = 0; i < 3; ++i) fakes_.push_back(std::make_shared<FakeKey>(i));
  }
  ValidatorKey Key(uint64_t index) const { return {index, fakes_[index], "keys.yaml:1"}; }

  void Start(const StartOptions& options = {.new_keys = true, .watch = false}) {
    client_.Start({Key(0), Key(1)}, options);
  }
  LiveKeys& live() { return client_.keys(); }

  // Advances to an interval of a slot, until the service has done its work there.
  void RunTo(int64_t slot, int64_t interval = 3) { client_.RunTo(slot * kSlotLength + interval * kSlotLength / 4); }

  // The slots in which a key has signed.
  std::set<uint64_t> Signed(uint64_t index) const {
    std::set<uint64_t> slots;
    for (const auto& [slot, root] : fakes_[index]->signed_roots()) slots.insert(slot);
    return slots;
  }
  static std::set<uint64_t> Slots(uint64_t first, uint64_t last) {
    std::set<uint64_t> slots;
    for (uint64_t slot = first; slot <= last; ++slot) slots.insert(slot);
    return slots;
  }
  LiveKeys::Entry EntryOf(uint64_t index) {
    for (const LiveKeys::Entry& entry : live().List()) {
      if (entry.key.index == index) return entry;
    }
    return {};
  }

  MemorySigningRecords records_;
  std::vector<std::shared_ptr<FakeKey>> fakes_;
  RunningClient client_{kGenesisMs + kStart * kSlotLength + 100, 3, records_};
  FakeBeacon& beacon_ = client_.beacon();
  CapturedLog& log_ = client_.log();
};

TEST_F(LiveKeysTest, AnAddedKeyWaitsForItsWatchWhileTheOthersGoOn) {
  Start({.new_keys = true, .watch = true});
  RunTo(10);
  ASSERT_TRUE(live().Add(Key(2), /*never_signed=*/false).ok());
  RunTo(11);  // taken up
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kWaiting);
  RunTo(11 + kLeastWatchedSlots);
  EXPECT_EQ(Signed(2), std::set<uint64_t>());
  RunTo(20);
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kActive);
  const uint64_t first = 11 + kLeastWatchedSlots + 2;  // decided at the end of the slot after the watched ones
  EXPECT_EQ(Signed(2), Slots(first, 20)) << log_.text();
  EXPECT_EQ(Signed(0), Slots(kStart + kLeastWatchedSlots + 1, 20));
  EXPECT_EQ(Signed(1), Slots(kStart + kLeastWatchedSlots + 1, 20));
  EXPECT_EQ(log_.Count("info key added validator=2 pubkey=0x0303…03 first_slot=15"), 1) << log_.text();
}

TEST_F(LiveKeysTest, AnAddedKeyIsWatchedForHoweverShortAgoTheOthersSigned) {
  for (uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(records_.Reserve({{FakePubkey(i), 4, FakeRoot(9)}}).ok());
  Start({.resumed = true});
  RunTo(10);
  EXPECT_EQ(Signed(0), Slots(kStart + 1, 10)) << "they go on at once: " << log_.text();
  ASSERT_TRUE(live().Add(Key(2), /*never_signed=*/false).ok());
  RunTo(12);
  beacon_.seen_votes = {FakeVote(2, 12, 7)};
  RunTo(20);
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kRefused) << log_.text();
  EXPECT_EQ(Signed(2), std::set<uint64_t>());
}

TEST_F(LiveKeysTest, ManyKeysAndASlowBeaconHoldUpNoDuty) {
  Start();
  RunTo(10);
  for (uint64_t i = 2; i < 42; ++i) {
    ASSERT_TRUE(live().Add({i, std::make_shared<FakeKey>(i), "keys.yaml:1"}, true).ok());
  }
  // Each answer arrives too late.
  beacon_.bend_duties = [this](DutiesAnswer&) { client_.clock().Advance(milliseconds(150)); };
  RunTo(20);
  EXPECT_EQ(log_.Count("intervals skipped"), 0) << log_.text();
  EXPECT_EQ(Signed(0), Slots(kStart + 1, 20));
}

TEST_F(LiveKeysTest, AKeyThatIsGoneBeforeTheFirstDutyIsNotAskedFor) {
  beacon_.fail[Method::kGetDuties] = absl::UnavailableError("gone");
  Start();
  RunTo(6);  // no beacon has reported the network yet
  ASSERT_TRUE(live().Remove(FakePubkey(1)).has_value());
  beacon_.fail.clear();
  size_t asked = 0;
  beacon_.bend_duties = [&asked](DutiesAnswer& answer) { asked = answer.duties.size(); };
  RunTo(15);
  EXPECT_EQ(asked, 1u);
}

TEST_F(LiveKeysTest, AnAddedKeyWaitsPastTheSlotOfItsComingEvenWithoutAWatch) {
  Start();
  RunTo(10, 1);
  ASSERT_TRUE(live().Add(Key(2), false).ok());
  RunTo(20);
  EXPECT_EQ(Signed(2), Slots(12, 20)) << "taken up in slot 10, let in at the end of slot 11";
}

TEST_F(LiveKeysTest, ARemovedKeySignsNothingMoreAndTheOthersGoOn) {
  Start();
  RunTo(10);
  const std::optional<LiveKeys::Entry> removed = live().Remove(FakePubkey(1));
  ASSERT_TRUE(removed.has_value());
  live().Forget(FakePubkey(1));
  EXPECT_EQ(removed->state, LiveKeys::State::kActive);
  EXPECT_FALSE(live().Remove(FakePubkey(1)).has_value());
  RunTo(20);
  EXPECT_EQ(Signed(1), Slots(kStart + 1, 10));
  EXPECT_EQ(Signed(0), Slots(kStart + 1, 20));
  EXPECT_EQ(log_.Count("failed"), 0) << log_.text();
}

TEST_F(LiveKeysTest, AKeyThatIsPutBackGoesOnAtOnce) {
  Start();
  RunTo(10);
  live().PutBack(*live().Remove(FakePubkey(1)));
  RunTo(20);
  EXPECT_EQ(Signed(1), Slots(kStart + 1, 20));
}

TEST_F(LiveKeysTest, AllKeysMayGo) {
  Start();
  RunTo(10);
  for (uint64_t i = 0; i < 2; ++i) ASSERT_TRUE(live().Remove(FakePubkey(i)).has_value());
  RunTo(20);
  EXPECT_EQ(Signed(0), Slots(kStart + 1, 10));
  ASSERT_TRUE(live().Add(Key(2), false).ok());
  RunTo(30);
  EXPECT_EQ(Signed(2).size(), 30 - 22) << log_.text();
}

TEST_F(LiveKeysTest, AKeyThatAnotherClientWorksWithIsRefusedAlone) {
  Start({.new_keys = true, .watch = true});
  RunTo(10);
  ASSERT_TRUE(live().Add(Key(2), /*never_signed=*/true).ok());
  RunTo(12);
  beacon_.seen_votes = {FakeVote(2, 12, 7)};
  RunTo(20);
  const LiveKeys::Entry refused = EntryOf(2);
  EXPECT_EQ(refused.state, LiveKeys::State::kRefused);
  EXPECT_NE(refused.reason.find("another client works with its key"), std::string::npos) << refused.reason;
  EXPECT_EQ(Signed(2), std::set<uint64_t>());
  EXPECT_EQ(Signed(0), Slots(kStart + kLeastWatchedSlots + 1, 20));
  EXPECT_EQ(log_.Count("error key refused validator=2"), 1) << log_.text();
}

TEST_F(LiveKeysTest, AKeyWithAHistoryAndWithoutRecordsIsRefusedUntilItHasThem) {
  Start();
  beacon_.seen_votes = {FakeVote(2, 3, 7)};
  RunTo(10);
  ASSERT_TRUE(live().Add(Key(2), false).ok());
  RunTo(15);
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kRefused);
  EXPECT_FALSE(live().Add(Key(2), false).ok()) << "it is there, refused";
  ASSERT_TRUE(live().Remove(FakePubkey(2)).has_value());
  ASSERT_TRUE(records_.Reserve({{FakePubkey(2), 3, FakeRoot(9)}}).ok());
  ASSERT_TRUE(live().Add(Key(2), false).ok());
  RunTo(20);
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kActive) << log_.text();
  EXPECT_TRUE(Signed(2).contains(20));
}

TEST_F(LiveKeysTest, AKeyThatTheRegistryDoesNotHaveIsRefusedAlone) {
  Start();
  RunTo(10);
  ValidatorKey wrong = Key(2);
  wrong.index = 7;
  ASSERT_TRUE(live().Add(wrong, true).ok());
  RunTo(20);
  EXPECT_EQ(EntryOf(7).state, LiveKeys::State::kRefused);
  EXPECT_NE(EntryOf(7).reason.find("index 7 is not in the beacon's registry"), std::string::npos) << EntryOf(7).reason;
  EXPECT_EQ(Signed(0), Slots(kStart + 1, 20));
}

TEST_F(LiveKeysTest, AKeyThatWaitsMayGoAndComeAgain) {
  Start({.new_keys = true, .watch = true});
  RunTo(10);
  ASSERT_TRUE(live().Add(Key(2), true).ok());
  RunTo(13);
  ASSERT_TRUE(live().Remove(FakePubkey(2)).has_value());
  fakes_[2] = std::make_shared<FakeKey>(2);  // as when its file is opened anew
  ASSERT_TRUE(live().Add(Key(2), true).ok());
  RunTo(14 + kLeastWatchedSlots + 1, 1);
  EXPECT_EQ(Signed(2), std::set<uint64_t>()) << "what the first one had waited for does not count";
  RunTo(20);
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kActive) << log_.text();
}

TEST_F(LiveKeysTest, NoIndexAndNoKeyTwice) {
  Start();
  EXPECT_EQ(live().Add(Key(0), false).code(), absl::StatusCode::kAlreadyExists);
  ValidatorKey same_index = Key(2);
  same_index.index = 1;
  EXPECT_EQ(live().Add(same_index, false).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(live().Add(Key(2), false).ok());
  EXPECT_EQ(live().Add(Key(2), false).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(LiveKeysTest, WithoutABeaconTheyGoOnWaiting) {
  Start();
  RunTo(10);
  beacon_.fail[Method::kGetDuties] = absl::UnavailableError("gone");
  ASSERT_TRUE(live().Add(Key(2), true).ok());
  RunTo(15);
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kWaiting);
  beacon_.fail.clear();
  RunTo(25);
  EXPECT_EQ(EntryOf(2).state, LiveKeys::State::kActive) << log_.text();
}

TEST_F(LiveKeysTest, AnActiveKeyThatAnotherClientSignsWithStopsAlone) {
  Start();
  RunTo(10);
  beacon_.claimed_votes[0] = 10'000;  // a claim without a vote
  beacon_.seen_votes = {FakeVote(1, 11, 7)};
  RunTo(20);
  EXPECT_EQ(EntryOf(1).state, LiveKeys::State::kRefused) << log_.text();
  EXPECT_NE(EntryOf(1).reason.find("another client signs with the key"), std::string::npos) << EntryOf(1).reason;
  EXPECT_EQ(Signed(1), Slots(kStart + 1, 11));
  EXPECT_EQ(Signed(0), Slots(kStart + 1, 20));
  EXPECT_EQ(records_.forgotten(), 1) << "the next start watches";
  EXPECT_EQ(log_.Count("error key stopped validator=1 pubkey=0x0202…02"), 1) << log_.text();
  // The operator may add it again; then there is a watch again.
  ASSERT_TRUE(live().Remove(FakePubkey(1)).has_value());
  ASSERT_TRUE(live().Add(Key(1), false).ok());
  beacon_.seen_votes.clear();
  RunTo(30);
  EXPECT_EQ(EntryOf(1).state, LiveKeys::State::kActive) << log_.text();
}

TEST_F(LiveKeysTest, ItsOwnVotesStopNoKey) {
  Start();
  RunTo(10);
  for (const SignedAttestation& vote : beacon_.votes) beacon_.seen_votes.push_back(vote);
  ASSERT_FALSE(beacon_.seen_votes.empty());
  beacon_.bend_liveness = [this](std::vector<Liveness>& answer) {
    // The beacon repeats votes that are already known.
    for (Liveness& liveness : answer) {
      liveness.vote = std::make_shared<const SignedAttestation>(beacon_.votes.back());
      liveness.live = true;
      liveness.latest_vote_slot = 1 << 20;
    }
  };
  RunTo(20);
  for (const uint64_t index : {0, 1}) EXPECT_EQ(Signed(index), Slots(kStart + 1, 20)) << log_.text();
}

// Removes a key while it signs, many times. Remove waits for the signature in progress, and the key signs nothing after
// that.
TEST(LiveKeysThreads, NothingIsSignedOnceRemoveHasReturned) {
  MemorySigningRecords records;
  CapturedLog log;
  NoSlotLimit limit;
  Signer signer({}, records, limit, [](std::function<void()> task) { task(); });
  ManualClock preparer_clock(0);
  KeyPreparer preparer({}, preparer_clock, log.logger());
  LiveKeys live(signer, preparer);
  std::atomic<uint64_t> slot{1};
  std::atomic<bool> stop{false};
  auto key = std::make_shared<FakeKey>(0);
  std::thread duties([&] {
    while (!stop) {
      const uint64_t now = slot.fetch_add(1);
      signer.Sign(now, {Attestation{0, AttestationData{now, {FakeRoot(1), now}, {}, {}}}});
    }
  });
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(signer.Add({0, key, ""}).ok());
    while (key->signed_roots().empty()) std::this_thread::yield();
    ASSERT_TRUE(live.Remove(key->pubkey()).has_value());
    const size_t signatures = key->signed_roots().size();
    const uint64_t later = slot + 2;
    while (slot < later) std::this_thread::yield();
    ASSERT_EQ(key->signed_roots().size(), signatures);
  }
  stop = true;
  duties.join();
}

}  // namespace
}  // namespace lean::validator
