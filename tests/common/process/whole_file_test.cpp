#include "common/process/whole_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/common/config/temporary_folder.h"

namespace lean {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> FilesIn(const TemporaryFolder& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) names.insert(entry.path().filename());
  return {names.begin(), names.end()};
}

TEST(WholeFile, ReplacesOrLeavesWhatIsThere) {
  TemporaryFolder folder;
  const std::string path = folder.File("file");
  ASSERT_TRUE(WriteWholeFile(path, "first", 0600, IfExists::kFail).ok());
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  const absl::Status taken = WriteWholeFile(path, "second", 0600, IfExists::kFail);
  EXPECT_TRUE(absl::IsAlreadyExists(taken)) << taken;
  EXPECT_THAT(std::string(taken.message()), HasSubstr(path));
  EXPECT_EQ(folder.Read("file"), "first");

  ASSERT_TRUE(WriteWholeFile(path, "third", 0600, IfExists::kReplace).ok());
  EXPECT_EQ(folder.Read("file"), "third");
  EXPECT_THAT(FilesIn(folder), ElementsAre("file"));
}

TEST(WholeFile, OfWhatWasNotPutInPlaceNothingIsLeft) {
  TemporaryFolder folder;
  {
    absl::StatusOr<WholeFile> file = WholeFile::Create(folder.File("file"), 0644);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Write("part").ok());
    const WholeFile moved = *std::move(file);
  }
  EXPECT_THAT(FilesIn(folder), IsEmpty());
}

TEST(WholeFile, AFailedWriteLeavesTheOldFile) {
  TemporaryFolder folder;
  folder.Write("file", "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteWholeFile(folder.File("file"), std::string(2000, 'x'), 0644, IfExists::kReplace);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder.File("file")));
  EXPECT_EQ(folder.Read("file"), "old");
  EXPECT_THAT(FilesIn(folder), ElementsAre("file"));
}

TEST(WholeFile, AKilledProcessLeavesTheOldFile) {
  TemporaryFolder folder;
  folder.Write("file", "old");
  const pid_t child = fork();
  if (child == 0) {
    absl::StatusOr<WholeFile> file = WholeFile::Create(folder.File("file"), 0644);
    if (file.ok() && file->Write("part").ok()) raise(SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(folder.Read("file"), "old");
  EXPECT_TRUE(WriteWholeFile(folder.File("file"), "new", 0644, IfExists::kReplace).ok());
  EXPECT_EQ(folder.Read("file"), "new");
}

// Whoever writes a file in place leaves a part of it after a crash.
TEST(WholeFile, IsTheOnlyWayInWhichTheProgramsWriteFiles) {
  // The lock names its holder in place; SQLite is given an empty file.
  const std::set<std::string> others = {"common/process/whole_file.cpp", "common/process/process_lock.cpp",
                                        "validator_client/signing/records/records_database.cpp"};
  const std::filesystem::path root = LEAN_SOURCE_DIR;
  for (const char* part : {"beacon", "common", "validator_client"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / part)) {
      const std::string name = std::filesystem::relative(entry.path(), root);
      if (!entry.is_regular_file() || others.contains(name)) continue;
      std::ifstream file(entry.path());
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      for (const char* word : {"ofstream", "std::fstream", "O_CREAT", "O_TRUNC", "fopen("}) {
        EXPECT_FALSE(absl::StrContains(text, word)) << name << " has " << word;
      }
    }
  }
}

using testing::HasSubstr;

TEST(TextFile, ReadsWhatWasWritten) {
  TemporaryFolder folder;
  const std::string text = std::string("a\0b\n", 4) + std::string(200'000, 'x');
  ASSERT_TRUE(WriteNewTextFile(folder.File("file"), text).ok());
  EXPECT_EQ(ReadTextFile(folder.File("file"), text.size()).value(), text);
}

TEST(TextFile, AnExistingFileIsLeftAsItIs) {
  TemporaryFolder folder;
  const std::string path = folder.Write("file", "old");
  const absl::Status status = WriteNewTextFile(path, "new");
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_EQ(folder.Read("file"), "old");
}

TEST(TextFile, LargerThanAllowedIsRefused) {
  TemporaryFolder folder;
  const absl::StatusOr<std::string> text = ReadTextFile(folder.Write("file", "12345"), 4);
  EXPECT_TRUE(absl::IsInvalidArgument(text.status()));
  EXPECT_THAT(std::string(text.status().message()), HasSubstr("5 bytes, more than the 4"));
}

TEST(TextFile, OnlyRegularFilesAreRead) {
  TemporaryFolder folder;
  EXPECT_TRUE(absl::IsInvalidArgument(ReadTextFile(folder.path(), 100).status()));
  ASSERT_EQ(mkfifo(folder.File("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(ReadTextFile(folder.File("pipe"), 100).status()));
  EXPECT_TRUE(absl::IsNotFound(ReadTextFile(folder.File("none"), 100).status()));
}

TEST(TextFile, AMissingFolderIsNamed) {
  TemporaryFolder folder;
  const absl::Status status = WriteNewTextFile(folder.File("no/file"), "text");
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder.File("no/file")));
}

TEST(TextFile, OfAFailedWriteNothingIsLeft) {
  TemporaryFolder folder;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteNewTextFile(folder.File("file"), std::string(2000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder.File("file")));
  EXPECT_TRUE(WriteNewTextFile(folder.File("file"), "text").ok()) << "it can be tried again";
}

}  // namespace

}  // namespace lean
