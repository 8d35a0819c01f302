// Clocks that go wrong, with records that stay: whatever a client believes the time to be, and whatever its beacon then
// offers, no leaf signs two roots.
#include <map>
#include <optional>
#include <thread>

#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/validator_client/signing_records/records_test_support.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/log_capture.h"
#include "tests/validator_client/support/temp_dir.h"
#include "validator_client/validator_service.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kGenesisMs = static_cast<int64_t>(kGenesisTime) * 1000;
constexpr int64_t kSlotLength = static_cast<int64_t>(kSlotMs);
constexpr uint64_t kKeys = 2;

using Fakes = std::vector<std::shared_ptr<FakeKey>>;

// One life of a client, from its start to its end. Its beacon offers another head than that of any other life.
class Life {
 public:
  Life(const std::string& records, const Fakes& fakes, int64_t start_slot, uint8_t head)
      : clock_(kGenesisMs + start_slot * kSlotLength + 100), beacon_(clock_, kKeys), records_(OpenOrFail(records)) {
    std::vector<ValidatorKey> keys;
    std::vector<RegisteredKey> registered;
    for (uint64_t i = 0; i < fakes.size(); ++i) {
      keys.push_back({i, fakes[i], ""});
      registered.push_back({i, FakePubkey(i), ""});
    }
    beacon_.bend_vote = [head](VoteDataAnswer& answer) { answer.data.head.root = FakeRoot(head); };
    beacon_.bend_block = [head](BuiltBlockAnswer& answer) {
      answer.block.state_root = FakeRoot(head);
      answer.proposer_attestation.data.head.root = ssz::HashTreeRoot(answer.block);
    };
    ExpectedNetwork expected;
    expected.xmss_log_lifetime = 16;
    beacons_.emplace(std::vector<BeaconClient*>{&beacon_}, expected, registered, false, RunInline, log_.logger());
    signer_.emplace(keys, *records_, [](std::function<void()> task) { task(); });
    preparer_.emplace(keys, log_.logger());
    live_keys_.emplace(*signer_, *preparer_);
    service_.emplace(clock_, *beacons_, *live_keys_, StartOptions{.new_keys = true, .watch = false}, 1, metrics_,
                     log_.logger());
    thread_ = std::thread([this] { EXPECT_TRUE(service_->Run().ok()); });
  }
  ~Life() {
    clock_.Interrupt();
    thread_.join();
  }

  // Lets so many slots pass by true time, waking the client at each of its deadlines.
  void Pass(int64_t slots) {
    const SteadyTime end = clock_.Steady() + milliseconds(slots * kSlotLength);
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
  // The machine sleeps, and wakes within a slot.
  void Sleep(int64_t slots) {
    clock_.AwaitWaiters(1);
    clock_.Advance(milliseconds(slots * kSlotLength + 1300));
  }
  // Both clocks are wrong by the same, so that nothing but the records can tell.
  void SetBothBack(int64_t slots) {
    clock_.AwaitWaiters(1);
    clock_.SetWallMs(clock_.WallMs() - slots * kSlotLength);
    beacon_.offset_ms -= slots * kSlotLength;
  }
  FakeBeacon& beacon() { return beacon_; }
  LogCapture& log() { return log_; }

 private:
  ManualClock clock_;
  FakeBeacon beacon_;
  LogCapture log_;
  std::unique_ptr<SqliteSigningRecords> records_;
  metrics::Registry registry_;
  ValidatorMetrics metrics_{registry_};
  std::optional<BeaconPool> beacons_;
  std::optional<Signer> signer_;
  std::optional<KeyPreparer> preparer_;
  std::optional<LiveKeys> live_keys_;
  std::optional<ValidatorService> service_;
  std::thread thread_;
};

class ClocksTest : public ::testing::Test {
 protected:
  ClocksTest() {
    for (uint64_t i = 0; i < kKeys; ++i) fakes_.push_back(std::make_shared<FakeKey>(i));
  }

  std::string path() const { return folder_.path() + "/records.sqlite"; }

  size_t Signatures() const {
    size_t count = 0;
    for (const auto& fake : fakes_) count += fake->signed_roots().size();
    return count;
  }
  uint64_t HighestSigned() const {
    uint64_t highest = 0;
    for (const auto& fake : fakes_) {
      for (const auto& [slot, root] : fake->signed_roots()) highest = std::max(highest, slot);
    }
    return highest;
  }
  // Over all lives.
  void ExpectNoLeafTwice() const {
    for (const auto& fake : fakes_) {
      std::map<uint64_t, Root> roots;
      for (const auto& [slot, root] : fake->signed_roots()) {
        EXPECT_EQ(roots.try_emplace(slot, root).first->second, root) << "slot " << slot;
      }
    }
  }

  TempDir folder_;
  Fakes fakes_;
};

TEST_F(ClocksTest, AClockSetBackBetweenTwoStartsSignsNothingAgain) {
  { Life(path(), fakes_, 5, 0xa1).Pass(5); }
  const size_t before = Signatures();
  const uint64_t highest = HighestSigned();
  ASSERT_GT(highest, 8);
  Life life(path(), fakes_, 5, 0xa2);
  life.Pass(5);
  EXPECT_EQ(Signatures(), before);
  life.Pass(3);
  EXPECT_GT(HighestSigned(), highest) << "it goes on past the highest slot";
  ExpectNoLeafTwice();
}

TEST_F(ClocksTest, BothClocksSetBackWhileRunningSignNothingAgain) {
  Life life(path(), fakes_, 5, 0xa1);
  life.Pass(5);
  const size_t before = Signatures();
  const uint64_t highest = HighestSigned();
  life.beacon().bend_vote = [](VoteDataAnswer& answer) { answer.data.head.root = FakeRoot(0xa2); };
  life.SetBothBack(3);
  life.Pass(2);
  EXPECT_LE(Signatures(), before + 2) << "at most the rest of the slot that was under way";
  life.Pass(6);
  EXPECT_GT(HighestSigned(), highest) << life.log().text();
  ExpectNoLeafTwice();
}

TEST_F(ClocksTest, ARestartWithinASlotDoesNotSeeItTwice) {
  for (uint8_t start = 0; start < 4; ++start) Life(path(), fakes_, 5 + start, 0xb0 + start).Pass(2);
  EXPECT_GT(Signatures(), 0);
  ExpectNoLeafTwice();
}

TEST_F(ClocksTest, ABeaconASlotApartSignsNoLeafTwice) {
  Life life(path(), fakes_, 5, 0xa1);
  life.Pass(2);
  uint8_t head = 0xc0;
  for (const int64_t slots : {1, -1, 1, 0}) {
    life.beacon().offset_ms = slots * kSlotLength;
    ++head;
    life.beacon().bend_vote = [head](VoteDataAnswer& answer) { answer.data.head.root = FakeRoot(head); };
    life.Pass(3);
  }
  ExpectNoLeafTwice();
}

TEST_F(ClocksTest, AMachineThatWakesSignsNoLeafTwice) {
  Life life(path(), fakes_, 5, 0xa1);
  life.Pass(2);
  life.Sleep(20);
  life.beacon().bend_vote = [](VoteDataAnswer& answer) { answer.data.head.root = FakeRoot(0xa3); };
  life.Pass(3);
  life.Sleep(0);
  life.Pass(2);
  EXPECT_GT(HighestSigned(), 27) << life.log().text();
  ExpectNoLeafTwice();
}

// A disk image taken, work done, the image put back: the slots between are not known any more.
TEST_F(ClocksTest, ARestoredBackupSignsOnlyPastTheSlotOfItsStart) {
  { Life(path(), fakes_, 5, 0xa1).Pass(3); }
  std::filesystem::copy_file(path(), folder_.path() + "/backup");
  { Life(path(), fakes_, 8, 0xa2).Pass(6); }
  const uint64_t highest = HighestSigned();
  std::filesystem::rename(folder_.path() + "/backup", path());
  // Time has not stood still: the start lies in the last slot signed, or later.
  { Life(path(), fakes_, static_cast<int64_t>(highest), 0xa3).Pass(4); }
  EXPECT_GT(HighestSigned(), highest);
  ExpectNoLeafTwice();
}

}  // namespace
}  // namespace lean::validator
