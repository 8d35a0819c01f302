#include "validator_client/signing/records/sqlite_signing_records.h"

#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sqlite3.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/signing/records/records_test_support.h"

namespace lean::validator {
namespace {

class SqliteSigningRecordsTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/records.sqlite"; }

  absl::Status OpenError(bool create = true) {
    return SqliteSigningRecords::Open({.path = path(), .create = create}).status();
  }

  void RunSql(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(database);
    ASSERT_EQ(chmod(path().c_str(), 0600), 0);
  }

  TemporaryFolder folder_;
};

TEST_F(SqliteSigningRecordsTest, OneRootALeafAndNoSlotBelowTheHighest) {
  auto records = OpenOrFail(path());
  EXPECT_EQ(*records->HighestSlot(TestPubkey(1)), std::nullopt);
  EXPECT_TRUE(Granted(*records, 1, 7, 1));
  EXPECT_TRUE(Granted(*records, 1, 7, 1)) << "the same root again";
  EXPECT_FALSE(Granted(*records, 1, 7, 2));
  EXPECT_FALSE(Granted(*records, 1, 6, 1)) << "below, never signed";
  EXPECT_TRUE(Granted(*records, 1, 9, 3));
  EXPECT_TRUE(Granted(*records, 1, 7, 1)) << "the same root of a recorded leaf";
  EXPECT_FALSE(Granted(*records, 1, 8, 1));
  EXPECT_EQ(*records->HighestSlot(TestPubkey(1)), 9);
  EXPECT_TRUE(Granted(*records, 2, 3, 2)) << "another key";
}

TEST_F(SqliteSigningRecordsTest, TellsWhatItsOwnerMayHaveSigned) {
  auto records = OpenOrFail(path());
  ASSERT_TRUE(Granted(*records, 1, 40, 1));
  ASSERT_TRUE(Granted(*records, 1, 43, 2));
  ASSERT_TRUE(Granted(*records, 2, 43, 3));
  ASSERT_TRUE(records->Import({{TestPubkey(3), {{50, std::nullopt}}}}).ok());
  const auto may = [&](uint8_t key, uint64_t slot, uint8_t root) {
    const absl::StatusOr<bool> answer = records->MayHaveSigned({TestPubkey(key), slot, TestRoot(root)});
    EXPECT_TRUE(answer.ok()) << answer.status();
    return *answer;
  };
  EXPECT_TRUE(may(1, 40, 1));
  EXPECT_FALSE(may(1, 40, 2)) << "another root of the leaf";
  EXPECT_FALSE(may(1, 41, 1)) << "a leaf that was left out";
  EXPECT_FALSE(may(1, 44, 2)) << "a later leaf";
  EXPECT_TRUE(may(1, 43 - kKeptSlots, 9)) << "too long ago to be told";
  EXPECT_FALSE(may(1, 44 - kKeptSlots, 9));
  EXPECT_FALSE(may(9, 40, 1)) << "a key without records";
  EXPECT_TRUE(may(3, 50, 9)) << "a leaf of which no root is known";

  EXPECT_EQ(*records->SignedRoots(41, 10), (std::vector<Root>{TestRoot(2), TestRoot(3)}));
  EXPECT_EQ(*records->SignedRoots(40, 1), (std::vector<Root>{TestRoot(1)}));
  EXPECT_EQ(*records->SignedRoots(44, 10), std::vector<Root>()) << "unknown ones are none";
}

TEST_F(SqliteSigningRecordsTest, AWriterThatIsForgottenStaysForgotten) {
  {
    auto records = OpenOrFail(path());
    ASSERT_TRUE(Granted(*records, 1, 7, 1));
    ASSERT_TRUE(records->ForgetWriter().ok());
    ASSERT_TRUE(Granted(*records, 2, 8, 1));
  }
  auto records = OpenOrFail(path());
  EXPECT_EQ(records->last_write_age(), std::nullopt);
  ASSERT_TRUE(Granted(*records, 1, 9, 1));
  records.reset();
  EXPECT_NE(OpenOrFail(path())->last_write_age(), std::nullopt) << "written after that start";
}

TEST_F(SqliteSigningRecordsTest, AnswersSayWhy) {
  auto records = OpenOrFail(path());
  ASSERT_TRUE(Granted(*records, 1, 7, 1));
  EXPECT_EQ(Ask(*records, 1, 7, 2).message(),
            "the leaf of slot 7 has already signed another root (0x0101…01, asked for 0x0202…02)");
  EXPECT_EQ(Ask(*records, 1, 5, 2).message(), "slot 5 is not above the highest signed slot of this key, 7");
  EXPECT_EQ(Ask(*records, 1, kMaxLeaves, 2).message(), "slot 4294967296 is beyond the leaves of any key");
  EXPECT_FALSE(Granted(*records, 1, UINT64_MAX, 2));
}

TEST_F(SqliteSigningRecordsTest, OutlivesTheProcess) {
  {
    auto records = OpenOrFail(path());
    ASSERT_TRUE(Granted(*records, 1, 7, 1));
  }
  auto records = OpenOrFail(path());
  EXPECT_FALSE(Granted(*records, 1, 7, 2));
  EXPECT_FALSE(Granted(*records, 1, 6, 2));
  EXPECT_TRUE(Granted(*records, 1, 7, 1));
}

TEST_F(SqliteSigningRecordsTest, ABatchIsAnsweredInOrderAndSeesItself) {
  auto records = OpenOrFail(path());
  const auto results = records->Reserve({{TestPubkey(1), 7, TestRoot(1)},
                                         {TestPubkey(2), 7, TestRoot(1)},
                                         {TestPubkey(1), 7, TestRoot(2)},
                                         {TestPubkey(1), 7, TestRoot(1)},
                                         {TestPubkey(3), 7, TestRoot(1)}});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 5);
  for (const size_t granted : {0, 1, 3, 4}) EXPECT_TRUE((*results)[granted].ok()) << granted;
  EXPECT_TRUE(absl::IsFailedPrecondition((*results)[2]));
  EXPECT_TRUE(records->Reserve({}).value().empty());
}

TEST_F(SqliteSigningRecordsTest, RecordsBindAKeyOnEveryNetwork) {
  // A devnet that begins anew at slot 0 with the same keys.
  auto records = OpenOrFail(path());
  ASSERT_TRUE(Granted(*records, 1, 500, 1));
  for (uint64_t slot = 0; slot <= 500; ++slot) EXPECT_FALSE(Granted(*records, 1, slot, 9));
  EXPECT_TRUE(Granted(*records, 1, 501, 9));
}

TEST_F(SqliteSigningRecordsTest, PruningKeepsWhatRefusalNeeds) {
  constexpr uint64_t kLast = 10 * kKeptSlots;
  auto records = OpenOrFail(path());
  ASSERT_TRUE(Granted(*records, 2, 5, 5));  // a key that stops early
  for (uint64_t slot = 1; slot <= kLast; ++slot) ASSERT_TRUE(Granted(*records, 1, slot, slot % 200));
  for (uint64_t slot = 1; slot <= kLast; ++slot) {
    EXPECT_FALSE(Granted(*records, 1, slot, 201)) << slot;
    EXPECT_EQ(Granted(*records, 1, slot, slot % 200), slot > kLast - kKeptSlots) << slot;
  }
  EXPECT_TRUE(Granted(*records, 2, 5, 5));
  EXPECT_FALSE(Granted(*records, 2, 5, 6));
  EXPECT_FALSE(Granted(*records, 2, 4, 5));
  EXPECT_EQ(records->Export()->at(0).leaves.size(), kKeptSlots);
  EXPECT_EQ(records->Export()->at(1).leaves.size(), 1);
  // The key that stopped goes on: its old leaf is deleted, and the other key keeps all of its own.
  ASSERT_TRUE(Granted(*records, 2, kLast + 1, 7));
  EXPECT_EQ(records->Export()->at(0).leaves.size(), kKeptSlots);
  ASSERT_EQ(records->Export()->at(1).leaves.size(), 1);
  EXPECT_EQ(records->Export()->at(1).leaves[0].slot, kLast + 1);
  EXPECT_FALSE(Granted(*records, 2, 5, 5));
}

TEST_F(SqliteSigningRecordsTest, ThreadsNeverBothGetALeaf) {
  auto records = OpenOrFail(path());
  constexpr uint64_t kSlots = 40;
  std::vector<std::vector<bool>> granted(4, std::vector<bool>(kSlots));
  std::vector<std::thread> threads;
  for (uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t slot = 0; slot < kSlots; ++slot) granted[t][slot] = Granted(*records, 1, slot, t + 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_LE(granted[0][slot] + granted[1][slot] + granted[2][slot] + granted[3][slot], 1) << slot;
  }
}

TEST_F(SqliteSigningRecordsTest, TheFileIsPrivateAndInWalMode) {
  auto records = OpenOrFail(path());
  ASSERT_TRUE(Granted(*records, 1, 1, 1));
  for (const char* suffix : {"", "-wal", ".lock"}) {
    struct stat info {};
    ASSERT_EQ(stat((path() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600) << suffix;
  }
  std::ifstream file(path(), std::ios::binary);
  char header[20] = {};
  file.read(header, sizeof(header));
  EXPECT_EQ(header[18], 2) << "write version: WAL";
  EXPECT_EQ(header[19], 2) << "read version: WAL";
}

TEST_F(SqliteSigningRecordsTest, ASecondClientIsRefusedAndToldWhoHasThem) {
  auto records = OpenOrFail(path());
  EXPECT_EQ(OpenError().message(), absl::StrCat("the signing records ", path(), " is in use by process ", getpid(),
                                                ": two clients with the same keys would sign twice; stop it first"));
  std::filesystem::create_symlink(path(), folder_.path() + "/link.sqlite");
  EXPECT_TRUE(absl::IsFailedPrecondition(
      SqliteSigningRecords::Open({.path = folder_.path() + "/link.sqlite", .create = true}).status()));
  // A hard link has a separate lock file, but SQLite's lock belongs to the file.
  std::filesystem::create_hard_link(path(), folder_.path() + "/hard.sqlite");
  const absl::Status hard = SqliteSigningRecords::Open({.path = folder_.path() + "/hard.sqlite"}).status();
  EXPECT_FALSE(hard.ok());
  records.reset();
  EXPECT_NE(OpenOrFail(path()), nullptr);
}

TEST_F(SqliteSigningRecordsTest, WhatIsNoDatabaseIsRefusedAndLeftAlone) {
  std::ofstream(path()) << std::string(5000, 'x');
  chmod(path().c_str(), 0600);
  const absl::Status status = OpenError();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "records.sqlite is no signing records database")) << status;
  EXPECT_EQ(std::filesystem::file_size(path()), 5000);
}

TEST_F(SqliteSigningRecordsTest, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  RunSql("CREATE TABLE theirs(x)");
  EXPECT_TRUE(absl::StrContains(OpenError().message(), "is a database of another program")) << OpenError();
  std::ifstream file(path(), std::ios::binary);
  char header[20] = {};
  file.read(header, sizeof(header));
  EXPECT_EQ(header[18], 1) << "not put into WAL mode";
}

TEST_F(SqliteSigningRecordsTest, ANewerSchemaIsRefused) {
  OpenOrFail(path());
  RunSql("PRAGMA user_version = 2");
  EXPECT_TRUE(absl::StrContains(OpenError().message(), "has schema version 2, this program knows 1")) << OpenError();
}

TEST_F(SqliteSigningRecordsTest, ADamagedDatabaseIsRefused) {
  {
    auto records = OpenOrFail(path());
    for (uint8_t key = 1; key < 200; ++key) ASSERT_TRUE(Granted(*records, key, 1, 1));
  }
  {
    std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(3 * 4096);
    file << std::string(4096, '\xff');
  }
  EXPECT_TRUE(absl::IsDataLoss(OpenError())) << OpenError();
}

TEST_F(SqliteSigningRecordsTest, AFileOpenToOthersIsRefused) {
  OpenOrFail(path());
  chmod(path().c_str(), 0640);
  EXPECT_EQ(OpenError().message(), absl::StrCat(path(), " is open to group or others: chmod 600 ", path()));
}

TEST_F(SqliteSigningRecordsTest, WithoutCreateAMissingFileStaysMissing) {
  EXPECT_EQ(OpenError(false).message(), "there are no signing records at " + path());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(SqliteSigningRecordsTest, AMissingFolderIsNamed) {
  const absl::Status status =
      SqliteSigningRecords::Open({.path = folder_.path() + "/none/records.sqlite", .create = true}).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "/none/records.sqlite")) << status;
}

TEST_F(SqliteSigningRecordsTest, AReadOnlyFolderIsNamed) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0555));
  // Root may write everywhere, so this thread drops that right for a moment.
  const int old_user = geteuid() == 0 ? setfsuid(65534) : -1;
  const absl::Status status = OpenError();
  if (old_user >= 0) setfsuid(static_cast<uid_t>(old_user));
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all);
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), folder_.path())) << status;
}

TEST_F(SqliteSigningRecordsTest, NothingIsGrantedOnceTheFileIsDeletedOrReplaced) {
  auto records = OpenOrFail(path());
  ASSERT_TRUE(Granted(*records, 1, 1, 1));
  std::filesystem::rename(path(), path() + ".old");
  EXPECT_TRUE(absl::StrContains(Ask(*records, 1, 2, 2).message(), "was moved, deleted or replaced while in use"));
  std::ofstream(path()).close();
  chmod(path().c_str(), 0600);
  EXPECT_FALSE(records->Reserve({{TestPubkey(1), 2, TestRoot(2)}}).ok());
  std::filesystem::rename(path() + ".old", path());
  EXPECT_TRUE(Granted(*records, 1, 2, 2)) << "it is the same file again";
}

// True only for the same machine, the same boot and the same file.
TEST_F(SqliteSigningRecordsTest, KnowsWhenThisMachineWroteLast) {
  int64_t uptime_ms = 100'000;
  const Machine here{"machine", "boot", [&uptime_ms] { return uptime_ms; }};
  EXPECT_EQ(OpenOrFail(path(), here)->last_write_age(), std::nullopt) << "never written";
  ASSERT_TRUE(Granted(*OpenOrFail(path(), here), 1, 1, 1));
  uptime_ms += 2500;
  EXPECT_EQ(OpenOrFail(path(), here)->last_write_age(), std::chrono::milliseconds(2500));

  Machine other = here;
  other.id = "another machine";
  EXPECT_EQ(OpenOrFail(path(), other)->last_write_age(), std::nullopt);
  other = here;
  other.boot = "another boot";
  EXPECT_EQ(OpenOrFail(path(), other)->last_write_age(), std::nullopt);
  other.boot = "";
  EXPECT_EQ(OpenOrFail(path(), other)->last_write_age(), std::nullopt);

  std::filesystem::copy_file(path(), folder_.path() + "/copy.sqlite");
  EXPECT_EQ(OpenOrFail(folder_.path() + "/copy.sqlite", here)->last_write_age(), std::nullopt) << "a copy";

  uptime_ms = 50'000;
  EXPECT_EQ(OpenOrFail(path(), here)->last_write_age(), std::nullopt) << "not before it was written";
  uptime_ms = 110'000;
  ASSERT_TRUE(OpenOrFail(path(), here)->Import({{TestPubkey(9), {{3, std::nullopt}}}}).ok());
  EXPECT_EQ(OpenOrFail(path(), here)->last_write_age(), std::nullopt) << "imported since";
  ASSERT_TRUE(Granted(*OpenOrFail(path(), here), 1, 2, 1));
  ASSERT_TRUE(OpenOrFail(path(), here)->Export().ok());
  EXPECT_EQ(OpenOrFail(path(), here)->last_write_age(), std::nullopt) << "exported since";
}

// The process goes on after an import or an export, but its keys may be used elsewhere now.
TEST_F(SqliteSigningRecordsTest, WhatIsWrittenAfterAnImportOrAnExportDoesNotCount) {
  const Machine here{"machine", "boot", [] { return int64_t{1000}; }};
  auto records = OpenOrFail(path(), here);
  ASSERT_TRUE(records->Import({{TestPubkey(9), {{3, std::nullopt}}}}).ok());
  ASSERT_TRUE(Granted(*records, 1, 5, 1));
  records = nullptr;
  records = OpenOrFail(path(), here);
  EXPECT_EQ(records->last_write_age(), std::nullopt);
  ASSERT_TRUE(Granted(*records, 1, 6, 1));
  ASSERT_TRUE(records->Export().ok());
  ASSERT_TRUE(Granted(*records, 1, 7, 1));
  records = nullptr;
  EXPECT_EQ(OpenOrFail(path(), here)->last_write_age(), std::nullopt);
}

TEST_F(SqliteSigningRecordsTest, ARefusalIsNoWrite) {
  int64_t uptime_ms = 1000;
  const Machine here{"machine", "boot", [&uptime_ms] { return uptime_ms; }};
  auto records = OpenOrFail(path(), here);
  ASSERT_TRUE(Granted(*records, 1, 5, 1));
  uptime_ms = 9000;
  EXPECT_FALSE(Granted(*records, 1, 5, 2));
  EXPECT_TRUE(Granted(*records, 1, 5, 1));
  records.reset();
  EXPECT_EQ(OpenOrFail(path(), here)->last_write_age(), std::chrono::milliseconds(8000));
}

uint64_t BytesOf(const std::string& path) {
  std::error_code missing;
  const uint64_t size = std::filesystem::file_size(path, missing);
  return missing ? 0 : size;
}

// How large the file becomes in a million slots.
TEST(SigningRecordsSize, AMillionSlots) {
  constexpr uint64_t kSlots = 1'000'000;
  constexpr uint64_t kSlotsABatch = 100;  // one for each duty, so that the test ends before the chain
  constexpr uint8_t kKeys = 4;
  TemporaryFolder folder;
  const std::string path = folder.path() + "/records.sqlite";
  auto records = OpenOrFail(path);
  uint64_t after_tenth = 0;
  for (uint64_t first = 1; first <= kSlots; first += kSlotsABatch) {
    std::vector<SigningRequest> requests;
    for (uint64_t slot = first; slot < first + kSlotsABatch; ++slot) {
      for (uint8_t key = 0; key < kKeys; ++key) requests.push_back({TestPubkey(key), slot, TestRoot(slot % 251)});
    }
    const auto results = records->Reserve(requests);
    ASSERT_TRUE(results.ok()) << results.status();
    for (const absl::Status& result : *results) ASSERT_TRUE(result.ok()) << result;
    if (first < kSlots / 10) after_tenth = BytesOf(path);
  }
  const uint64_t journal = BytesOf(path + "-wal");
  EXPECT_EQ(*records->HighestSlot(TestPubkey(0)), kSlots);
  records.reset();
  const uint64_t bytes = BytesOf(path);
  std::cout << "keys=" << int{kKeys} << " slots=" << kSlots << " bytes=" << bytes << " journal_bytes=" << journal
            << std::endl;
  EXPECT_LE(bytes, after_tenth) << "it does not grow with time";
}

}  // namespace

}  // namespace lean::validator
