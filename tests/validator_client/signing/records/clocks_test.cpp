// Wrong clocks with persistent records: no leaf signs two roots, whatever time the client assumes and whatever its
// beacon offers.
#include <map>
#include <memory>

#include "common/ssz/ssz.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/signing/records/records_test_support.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/running_client.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kKeys = 2;

using Fakes = std::vector<std::shared_ptr<FakeKey>>;

// A client from its start to its end. Its beacon offers a different head than those of other lives.
class Life {
 public:
  Life(const std::string& records, const Fakes& fakes, int64_t start_slot, uint8_t head)
      : records_(OpenOrFail(records)), client_(kGenesisMs + start_slot * kSlotLength + 100, kKeys, *records_) {
    std::vector<ValidatorKey> keys;
    for (uint64_t i = 0; i < fakes.size(); ++i) keys.push_back({i, fakes[i], ""});
    beacon().bend_vote = [head](VoteDataAnswer& answer) { answer.data.head.root = FakeRoot(head); };
    beacon().bend_block = [head](BuiltBlockAnswer& answer) {
      answer.block.state_root = FakeRoot(head);
      answer.proposer_attestation.data.head.root = ssz::HashTreeRoot(answer.block);
    };
    client_.Start(keys, {.new_keys = true, .watch = false});
  }
  ~Life() { EXPECT_TRUE(client_.Stop().ok()); }

  // Passes this many slots of true time.
  void Pass(int64_t slots) { client_.Pass(milliseconds(slots * kSlotLength)); }
  // The machine is suspended and resumes within a slot.
  void Sleep(int64_t slots) {
    client_.clock().AwaitWaiters(1);
    client_.clock().Advance(milliseconds(slots * kSlotLength + 1300));
  }
  // Both clocks have the same error, so that only the records can detect it.
  void SetBothBack(int64_t slots) {
    client_.clock().AwaitWaiters(1);
    client_.clock().SetWallMs(client_.clock().WallMs() - slots * kSlotLength);
    beacon().offset_ms -= slots * kSlotLength;
  }
  FakeBeacon& beacon() { return client_.beacon(); }
  CapturedLog& log() { return client_.log(); }

 private:
  const std::unique_ptr<SqliteSigningRecords> records_;
  RunningClient client_;
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
  // The signed roots of all lives.
  void ExpectNoLeafTwice() const {
    for (const auto& fake : fakes_) {
      std::map<uint64_t, Root> roots;
      for (const auto& [slot, root] : fake->signed_roots()) {
        EXPECT_EQ(roots.try_emplace(slot, root).first->second, root) << "slot " << slot;
      }
    }
  }

  TemporaryFolder folder_;
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

// A disk image is taken and restored after more work: the slots in between are unknown.
TEST_F(ClocksTest, ARestoredBackupSignsOnlyPastTheSlotOfItsStart) {
  { Life(path(), fakes_, 5, 0xa1).Pass(3); }
  std::filesystem::copy_file(path(), folder_.path() + "/backup");
  { Life(path(), fakes_, 8, 0xa2).Pass(6); }
  const uint64_t highest = HighestSigned();
  std::filesystem::rename(folder_.path() + "/backup", path());
  // The start is in the last signed slot or later, because time has passed.
  { Life(path(), fakes_, static_cast<int64_t>(highest), 0xa3).Pass(4); }
  EXPECT_GT(HighestSigned(), highest);
  ExpectNoLeafTwice();
}

}  // namespace
}  // namespace lean::validator
