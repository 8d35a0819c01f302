// Data that goes away under a chain, or does not come back with it: it is noticed and told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "beacon/storage/chain_files.h"
#include "beacon/storage/database/losses.h"
#include "beacon/storage/prune.h"
#include "beacon/storage/verify.h"
#include "common/clock/clock.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/process/captured_log.h"

namespace lean::beacon {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class LostDataTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<StoredChain>> Open() {
    return StoredChain::Open(genesis_, {.folder = data_, .storage = storage_, .sign_randomly = true});
  }
  std::unique_ptr<StoredChain> MustOpen() {
    auto opened = Open();
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  static void AwaitHealth(const StoredChain& chain, bool ok) {
    while (chain.storage().Health().ok() != ok) std::this_thread::yield();
  }
  static void ExpectFailed(const StoredChain& chain, absl::string_view why) {
    AwaitHealth(chain, false);
    // It is removed file by file: what is found first may be another part of it.
    while (!absl::StrContains(chain.storage().Health().message(), why)) std::this_thread::yield();
    const absl::Status refused = chain.storage().CanAccept();
    EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  }

  // What `db verify` says of the folder.
  VerifyReport Verify() {
    CapturedLog log;
    const auto database = ChainDatabase::Open({.path = data_}, /*read_only=*/true);
    EXPECT_TRUE(database.ok()) << database.status();
    return VerifyDatabase(**database, *log.logger(), [](uint64_t) {});
  }
  std::string Problems() { return absl::StrJoin(Verify().problems, "\n"); }

  // The files of the database with such a name, ascending.
  std::vector<fs::path> Files(absl::string_view part) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(data_ + "/chain")) {
      if (absl::StrContains(entry.path().filename().string(), part)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static void Flip(const fs::path& path, uintmax_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    ASSERT_TRUE(file.good()) << path;
  }

  const Genesis genesis_ = StorageTestGenesis(4);
  TemporaryFolder folder_;
  const std::string data_ = folder_.File("data");
  const std::string elsewhere_ = folder_.File("elsewhere");
  StorageOptions storage_{.snapshot_slots = 8,
                          .retry = std::chrono::milliseconds(2),
                          .check = std::chrono::milliseconds(2),
                          .tip = std::chrono::milliseconds(0)};
};

TEST_F(LostDataTest, ARemovedFolderIsNoticedWithoutAWrite) {
  const std::unique_ptr<StoredChain> chain = MustOpen();
  chain->RunSlots(5);
  chain->storage().Flush();
  ASSERT_TRUE(chain->storage().CanAccept().ok());
  fs::remove_all(data_);
  ExpectFailed(*chain, "is gone: it was removed or moved away");
  chain->RunSlot();
  EXPECT_FALSE(chain->storage().CanAccept().ok());
  EXPECT_FALSE(fs::exists(data_)) << "nothing was made in its place";
  // And it ends in order.
}

TEST_F(LostDataTest, OfAFolderWhoseFilesWereRemovedAsWell) {
  const std::unique_ptr<StoredChain> chain = MustOpen();
  chain->RunSlots(5);
  for (const fs::path& file : Files("")) fs::remove(file);
  ExpectFailed(*chain, "are gone");
}

TEST_F(LostDataTest, AMovedFolderIsGoneUntilItIsBack) {
  std::unique_ptr<StoredChain> chain = MustOpen();
  chain->RunSlots(5);
  chain->storage().Flush();
  fs::rename(data_, elsewhere_);
  ExpectFailed(*chain, "is gone: it was removed or moved away");
  chain->RunSlots(2);  // what was admitted before
  fs::rename(elsewhere_, data_);
  AwaitHealth(*chain, true);
  chain->RunSlots(2);
  const Checkpoint head = chain->chain().head();
  chain.reset();
  EXPECT_EQ(Problems(), "");
  EXPECT_EQ(MustOpen()->chain().head(), head);
}

TEST_F(LostDataTest, AnotherFolderInItsPlaceIsNotWrittenTo) {
  const std::unique_ptr<StoredChain> chain = MustOpen();
  chain->RunSlots(5);
  chain->storage().Flush();
  fs::rename(data_, elsewhere_);
  fs::copy(elsewhere_, data_, fs::copy_options::recursive);
  ExpectFailed(*chain, "is not the one that this process opened");
  chain->RunSlots(2);
  fs::remove_all(data_);
  fs::create_directories(data_ + "/chain");
  ExpectFailed(*chain, "is not the one that this process opened");
  EXPECT_TRUE(fs::is_empty(data_ + "/chain"));
}

TEST_F(LostDataTest, AByteFlippedInTheMiddleOfTheLogIsTold) {
  std::unique_ptr<StoredChain> chain = MustOpen();
  chain->RunSlots(40);
  const uint64_t head = chain->chain().head().slot;
  const uint64_t finalized = chain->chain().finalized().slot;
  chain.reset();
  EXPECT_EQ(Problems(), "");
  const std::vector<fs::path> logs = Files(".log");
  ASSERT_FALSE(logs.empty());
  Flip(logs.back(), fs::file_size(logs.back()) / 2);

  const std::string problems = Problems();
  EXPECT_THAT(problems, HasSubstr(absl::StrCat("the write-ahead log ", logs.back().filename().string(),
                                               " cannot be read to its end")));
  EXPECT_THAT(problems, HasSubstr(absl::StrCat("is shorter than it was: its head was of slot ", head)));
  EXPECT_THAT(problems, HasSubstr(absl::StrCat("it had finalized slot ", finalized)));
  EXPECT_THAT(problems, Not(HasSubstr("Corruption")));

  // It goes on from what is left, and says that it is less; once it is as long as it was, it says so no more.
  chain = MustOpen();
  EXPECT_FALSE(chain->database().files().losses().empty());
  EXPECT_LT(chain->chain().head().slot, head);
  EXPECT_TRUE(LostSinceTip(chain->database()).value().has_value());
  chain->RunSlots(40);
  chain->storage().Flush();
  EXPECT_FALSE(LostSinceTip(chain->database()).value().has_value());
  chain.reset();
  EXPECT_EQ(Problems(), "");
}

TEST_F(LostDataTest, ADatabaseThatIsNewAgainIsShorterThanItWas) {
  MustOpen()->RunSlots(10);
  fs::remove_all(data_ + "/chain");
  MustOpen();  // begins at genesis
  EXPECT_THAT(Problems(), HasSubstr("is shorter than it was: its head was of slot 10 and is of slot 0"));
}

TEST_F(LostDataTest, ATipThatSaysNothingIsTold) {
  MustOpen()->RunSlots(10);
  for (const char* text : {"", "head 1", "head x 0x00\nfinalized 1 0x00\n", "head 1 0x12\nfinalized 1 0x12\n"}) {
    std::ofstream(data_ + "/chain_tip", std::ios::trunc) << text;
    EXPECT_THAT(Problems(), HasSubstr("chain_tip is damaged")) << text;
  }
  fs::remove(data_ + "/chain_tip");
  EXPECT_EQ(Problems(), "") << "a folder of before has none";
}

TEST_F(LostDataTest, TheTipIsWhatIsWritten) {
  std::unique_ptr<StoredChain> chain = MustOpen();
  chain->RunSlots(10);
  const ChainTip tip{.head = chain->chain().head(), .finalized = chain->chain().finalized()};
  chain.reset();
  EXPECT_EQ(ReadChainTip(data_).value(), tip);
}

// What reads or rewrites much ends when it is told to; the folder is as good as before.
TEST_F(LostDataTest, LongWorkIsStopped) {
  MustOpen()->RunSlots(20);
  std::stop_source stop;
  auto database = ChainDatabase::Open({.path = data_, .stop = stop.get_token()}, /*read_only=*/false).value();
  CapturedLog log;
  stop.request_stop();
  EXPECT_TRUE(absl::IsCancelled(RestoreChain(*database, RealClock(), *log.logger()).status()));
  EXPECT_TRUE(absl::IsCancelled(PruneDatabase(*database, {.keep_slots = 1}).status()));
  EXPECT_TRUE(absl::IsCancelled(database->files().Compact()));
  EXPECT_TRUE(absl::IsCancelled(WriteBlockFile(elsewhere_, *database, {.first = 2, .last = 5}).status()));
  EXPECT_FALSE(fs::exists(elsewhere_));
  EXPECT_EQ(VerifyDatabase(*database, *log.logger(), [](uint64_t) {}).replayed, 0u);
  database.reset();
  EXPECT_EQ(Problems(), "");
}

// Whatever file it is in: either nothing is missed, or what is wrong is said in words that help.
TEST_F(LostDataTest, AByteFlippedInAnyFile) {
  for (int round = 0; round < 3; ++round) {  // files of several runs
    const std::unique_ptr<StoredChain> chain = MustOpen();
    chain->RunSlots(12);
    ASSERT_TRUE(chain->database().files().Compact().ok() || round == 0);
  }
  fs::rename(data_, elsewhere_);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(elsewhere_ + "/chain")) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const uintmax_t size = fs::file_size(elsewhere_ + "/chain/" + name);
    for (const uintmax_t at : {uintmax_t{0}, size / 3, size / 2, size - std::min<uintmax_t>(size, 1)}) {
      if (at >= size) continue;
      SCOPED_TRACE(absl::StrCat(name, " at ", at, " of ", size));
      fs::remove_all(data_);
      fs::copy(elsewhere_, data_, fs::copy_options::recursive);
      Flip(data_ + "/chain/" + name, at);
      const auto database = ChainDatabase::Open({.path = data_}, /*read_only=*/true);
      std::string said = std::string(database.status().message());
      if (database.ok()) {
        CapturedLog log;
        const VerifyReport report = VerifyDatabase(**database, *log.logger(), [](uint64_t) {});
        said = absl::StrCat(absl::StrJoin(report.problems, "\n"), report.restart.message());
      }
      EXPECT_THAT(said, Not(HasSubstr("Corruption")));
      if (!database.ok()) {
        EXPECT_TRUE(absl::IsDataLoss(database.status())) << database.status();
      }
      if (said != "" && !database.ok()) {
        EXPECT_THAT(said, testing::AnyOf(HasSubstr("start in an empty one"), HasSubstr("`lean-beacon db verify`")));
      }
      const bool data = absl::StrContains(name, ".sst") || absl::StrContains(name, ".blob");
      if (data && at != 0 && at + 1 != size) {
        EXPECT_NE(said, "") << "a block is there that cannot be read";
      }
    }
  }
}

}  // namespace
}  // namespace lean::beacon
