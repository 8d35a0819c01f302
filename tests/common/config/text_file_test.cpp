#include "common/config/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/common/config/temporary_folder.h"

namespace lean {
namespace {

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
