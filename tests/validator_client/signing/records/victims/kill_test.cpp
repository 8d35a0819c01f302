// Kills the signer at any time and at every write of its records, restarts it, requests conflicting signatures, and
// counts what it released: never two roots of one leaf. Disk faults that do not kill are tested in the same way.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/signature_scheme.h"
#include "common/secrets/random_source.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/signing/records/victims/fault_vfs.h"
#include "tests/validator_client/signing/records/victims/victim_watcher.h"
#include "tests/validator_client/support/fake_key.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/keys_new.h"
#include "validator_client/keys/keystores.h"

namespace lean::validator {
namespace {

constexpr uint64_t kSlots = 6;         // slots requested in one life of a victim
constexpr uint64_t kRewind = 3;        // slots that the next life requests again
constexpr uint64_t kXmssLeaves = 256;  // of the smallest lifetime

bool FakeSignatureFits(const VictimMessage& released) {
  return released.signature == FakeSignature(FakePubkey(released.index), released.slot, released.root);
}

// Runs victims one after the other on the same records.
class Lives {
 public:
  // With keystores: real keys and the real disk. Without: fake keys and the disk that can fail.
  Lives(VictimWatcher& watcher, std::string folder, std::string keystores = "")
      : watcher_(watcher), folder_(std::move(folder)), keystores_(std::move(keystores)) {}

  VictimEnd Next(uint64_t seed, Fault fault = Fault::kNone, uint64_t fault_first = 0, uint64_t fault_count = 1,
                 std::optional<std::chrono::microseconds> kill_after = std::nullopt) {
    const uint64_t highest = watcher_.highest_released_slot() + skipped_;
    std::vector<std::string> arguments = {
        "--records",     folder_ + "/records.sqlite",
        "--first-slot",  absl::StrCat(highest > kRewind ? highest - kRewind + 1 : 1),
        "--slots",       absl::StrCat(kSlots),
        "--seed",        absl::StrCat(seed),
        "--fault",       absl::StrCat(keystores_.empty() ? static_cast<int>(fault) : -1),
        "--fault-first", absl::StrCat(fault_first),
        "--fault-count", absl::StrCat(fault_count)};
    if (!keystores_.empty()) arguments.insert(arguments.end(), {"--keystores", keystores_});
    const VictimEnd end = watcher_.Watch(arguments, kill_after);
    // Victims that were killed between record and release leave leaves that are recorded but were never released.
    // Requests for these are refused for ever, so the next victim starts at later slots.
    skipped_ = end.released > 0 ? 0 : skipped_ + (end.done ? kSlots : 0);
    return end;
  }

 private:
  VictimWatcher& watcher_;
  const std::string folder_;
  const std::string keystores_;
  uint64_t skipped_ = 0;  // slots after the highest released one
};

// Prints what a test has tried.
struct Tally {
  uint64_t victims = 0;
  uint64_t killed = 0;
  uint64_t refused = 0;
  uint64_t failed = 0;

  void Add(const VictimEnd& end) {
    ++victims;
    killed += end.killed ? 1 : 0;
    refused += end.refused;
    failed += end.failed;
  }
  void Print(const char* name, const VictimWatcher& watcher) const {
    std::cout << name << ": victims=" << victims << " killed=" << killed << " leaves=" << watcher.leaves()
              << " signatures=" << watcher.signatures() << " refused=" << refused << " failed=" << failed
              << " two_roots=" << watcher.conflicts() << std::endl;
  }
};

void ExpectNoLeafTwice(const VictimWatcher& watcher) {
  EXPECT_EQ(watcher.conflicts(), 0);
  EXPECT_EQ(watcher.bad_signatures(), 0);
}

// The lifetime of a victim that is not killed, under the current load of this machine.
std::chrono::microseconds UndisturbedLifetime(Lives& lives) {
  std::chrono::microseconds longest{0};
  for (uint64_t i = 0; i < 3; ++i) longest = std::max(longest, lives.Next(i).lifetime);
  return longest;
}

// If victims end before they are killed, the machine has become faster since that measurement.
void Follow(const VictimEnd& end, std::chrono::microseconds& lifetime) {
  if (!end.killed) lifetime = (lifetime + std::min(end.lifetime, lifetime)) / 2;
}

void KillAtRandomMoments(uint64_t kills) {
  VictimWatcher watcher(FakeSignatureFits);
  TemporaryFolder folder;
  Lives lives(watcher, folder.path());
  std::chrono::microseconds lifetime = UndisturbedLifetime(lives);
  std::mt19937_64 random(7);
  Tally tally;
  // Some end before they are killed.
  while (tally.killed < kills) {
    const std::chrono::microseconds moment(random() % static_cast<uint64_t>(lifetime.count()));
    const VictimEnd end = lives.Next(random(), Fault::kNone, 0, 1, moment);
    tally.Add(end);
    Follow(end, lifetime);
  }
  tally.Add(lives.Next(random()));
  tally.Print("kill -9 at random moments", watcher);
  ExpectNoLeafTwice(watcher);
  EXPECT_GT(watcher.leaves(), kills / 4) << "too few lives signed something new";
  EXPECT_GT(tally.refused, 0) << "nothing was refused: nothing was tested";
  EXPECT_EQ(tally.failed, 0);
}

// `stride` 1: every boundary.
void FailAtEveryWrite(const std::vector<Fault>& faults, uint64_t stride) {
  std::mt19937_64 random(11);
  for (const Fault fault : faults) {
    Tally tally;
    uint64_t boundaries = 0;
    uint64_t conflicts = 0;
    // Uses a new database in each round, so that its creation is interrupted as well. The first life ends at the
    // boundary, or continues with a disk that works again after a while. The second life starts after the repair.
    for (uint64_t at = random() % stride;; at += stride, ++boundaries) {
      TemporaryFolder folder;
      VictimWatcher round(FakeSignatureFits);
      Lives lives(round, folder.path());
      const VictimEnd hurt = lives.Next(random(), fault, at, 1 + random() % 4);
      tally.Add(hurt);
      const VictimEnd after = lives.Next(random());
      tally.Add(after);
      EXPECT_TRUE(after.done) << FaultName(fault) << " at " << at << " left records that do not open";
      EXPECT_EQ(after.failed, 0) << FaultName(fault) << " at " << at;
      ExpectNoLeafTwice(round);
      conflicts += round.conflicts();
      // After the last write of a complete life.
      if (hurt.done && hurt.operations <= at) break;
    }
    std::cout << FaultName(fault) << ": boundaries=" << boundaries << " victims=" << tally.victims
              << " killed=" << tally.killed << " refused=" << tally.refused << " failed=" << tally.failed
              << " two_roots=" << conflicts << std::endl;
    EXPECT_GT(boundaries, 10 / stride);
    EXPECT_GT(tally.refused, 0);
  }
}

const std::vector<Fault> kKills = {Fault::kKillBefore, Fault::kKillTorn, Fault::kKillAfter};
const std::vector<Fault> kPowerCuts = {Fault::kPowerCutBefore, Fault::kPowerCutAfter};
const std::vector<Fault> kErrors = {Fault::kFailedSync, Fault::kDiskFull, Fault::kIoError, Fault::kReadOnly};

// One database through many power cuts: each life starts from what the last cut has left.
void CutPowerAgainAndAgain(uint64_t cuts) {
  VictimWatcher watcher(FakeSignatureFits);
  TemporaryFolder folder;
  Lives lives(watcher, folder.path());
  const uint64_t operations = std::max<uint64_t>(lives.Next(1).operations, 1);
  std::mt19937_64 random(13);
  Tally tally;
  for (uint64_t i = 0; i < cuts; ++i) {
    const Fault fault = kPowerCuts[random() % kPowerCuts.size()];
    const VictimEnd end = lives.Next(random(), fault, random() % operations);
    EXPECT_EQ(end.failed, 0) << "cut " << i;
    tally.Add(end);
  }
  const VictimEnd last = lives.Next(random());
  EXPECT_TRUE(last.done);
  tally.Print("power cut again and again", watcher);
  ExpectNoLeafTwice(watcher);
  // Later lives write less, so some cuts come too late for them.
  EXPECT_GT(tally.killed, cuts / 4);
  EXPECT_GT(tally.refused, 0);
}

// Real keys in real key files: released signatures are verified against the roots under which they are counted.
void KillRealSigners(uint64_t kills) {
  NetworkSpec spec;
  spec.xmss_log_lifetime = 8;
  const auto scheme = crypto::SignatureScheme::Create(spec);
  ASSERT_TRUE(scheme.ok());
  std::mt19937_64 random(17);
  uint64_t done = 0;
  uint64_t leaves = 0;
  uint64_t signatures = 0;
  uint64_t refused = 0;
  uint64_t conflicts = 0;
  while (done < kills) {
    TemporaryFolder folder;
    KeysNewOptions make;
    make.output_dir = folder.path() + "/keys";
    make.indices = {0, 1};
    make.log_lifetime = 8;
    SeededRandomSource source(random());
    std::ostringstream progress;
    ASSERT_TRUE(MakeKeys(make, source, std::atomic<bool>(false), progress, false).ok());
    const std::string list = make.output_dir + "/keystores.yaml";
    const auto keystores = OpenKeystores(list, NoPassword, 1);
    ASSERT_TRUE(keystores.ok()) << keystores.status();
    VictimWatcher watcher([&](const VictimMessage& released) {
      return scheme
          ->Verify(keystores->keys[released.index].key->pubkey(), released.slot, released.root, released.signature)
          .ok();
    });
    Lives lives(watcher, folder.path(), list);
    std::chrono::microseconds lifetime = UndisturbedLifetime(lives);
    while (done < kills && watcher.highest_released_slot() + kSlots + 1 < kXmssLeaves) {
      const std::chrono::microseconds moment(random() % static_cast<uint64_t>(lifetime.count()));
      const VictimEnd end = lives.Next(random(), Fault::kNone, 0, 1, moment);
      Follow(end, lifetime);
      done += end.killed ? 1 : 0;
      refused += end.refused;
      EXPECT_EQ(end.failed, 0);
    }
    ExpectNoLeafTwice(watcher);
    leaves += watcher.leaves();
    signatures += watcher.signatures();
    conflicts += watcher.conflicts();
  }
  std::cout << "kill -9 of a signer with XMSS keys: killed=" << done << " leaves=" << leaves
            << " signatures=" << signatures << " refused=" << refused << " two_roots=" << conflicts << std::endl;
  EXPECT_GT(refused, 0);
}

TEST(SigningRecordsKillLong, AtThousandsOfRandomMoments) { KillAtRandomMoments(3000); }
TEST(SigningRecordsKillLong, AtEveryWrite) { FailAtEveryWrite(kKills, 1); }
TEST(SigningRecordsKillLong, PowerCutAtEveryWrite) { FailAtEveryWrite(kPowerCuts, 1); }
TEST(SigningRecordsKillLong, FaultAtEveryWrite) { FailAtEveryWrite(kErrors, 1); }
TEST(SigningRecordsKillLong, PowerCutAgainAndAgain) { CutPowerAgainAndAgain(1000); }
TEST(SigningRecordsKillLong, RealSigners) { KillRealSigners(1000); }

TEST(SigningRecordsKill, AtRandomMoments) { KillAtRandomMoments(200); }
TEST(SigningRecordsKill, AtWrites) { FailAtEveryWrite(kKills, 7); }
TEST(SigningRecordsKill, PowerCutAtWrites) { FailAtEveryWrite(kPowerCuts, 7); }
TEST(SigningRecordsKill, FaultAtWrites) { FailAtEveryWrite(kErrors, 7); }
TEST(SigningRecordsKill, PowerCutAgainAndAgain) { CutPowerAgainAndAgain(60); }
TEST(SigningRecordsKill, RealSigners) { KillRealSigners(40); }

}  // namespace
}  // namespace lean::validator
