#include "common/secrets/secret_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/process/descriptors.h"

namespace lean {
namespace {

using ::testing::HasSubstr;

struct stat FileOf(uid_t owner, gid_t group, mode_t mode) {
  struct stat info {};
  info.st_mode = S_IFREG | mode;
  info.st_uid = owner;
  info.st_gid = group;
  return info;
}

TEST(CheckSecretFileTest, TakesWhatOnlyItsUserAndRootCanUse) {
  const uid_t us = geteuid();
  for (const uid_t owner : {us, uid_t{0}}) {
    for (const mode_t mode : {0400, 0600, 0700}) {
      EXPECT_TRUE(CheckSecretFile("key", FileOf(owner, getegid(), mode)).ok()) << owner << " " << mode;
    }
  }
}

TEST(CheckSecretFileTest, TakesRootsFileThatOurGroupMayRead) {
  EXPECT_TRUE(CheckSecretFile("key", FileOf(0, getegid(), 0440)).ok());
  EXPECT_TRUE(CheckSecretFile("key", FileOf(0, getegid(), 0640)).ok());
}

TEST(CheckSecretFileTest, RefusesEverythingElse) {
  const uid_t us = geteuid();
  const gid_t ours = getegid();
  const gid_t foreign = 4'000'000'000;
  const std::vector<struct stat> refused = {
      FileOf(us == 0 ? 1000 : us + 1, ours, 0600),  // another user's
      FileOf(0, foreign, 0440),                     // root's, of a group that is not ours
      FileOf(0, ours, 0460),
      FileOf(0, ours, 0620),
      FileOf(0, ours, 0650),  // a group that may do more than read
      FileOf(us, ours, 0604),
      FileOf(us, ours, 0602),
      FileOf(0, ours, 0444),
  };
  for (const struct stat& info : refused) {
    const absl::Status status = CheckSecretFile("/keys/validator_0.json", info);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << info.st_uid << " " << std::oct << info.st_mode;
    EXPECT_THAT(status.message(), HasSubstr("/keys/validator_0.json"));
  }
  if (us == 0) return;
  EXPECT_FALSE(CheckSecretFile("key", FileOf(us, ours, 0440)).ok());
}

class SecretFileTest : public ::testing::Test {
 protected:
  SecretFileTest() { std::filesystem::create_directory(folder_); }
  ~SecretFileTest() override { std::filesystem::remove_all(folder_); }

  std::string PathOf(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::string Write(const std::string& name, const std::string& text, mode_t mode) const {
    std::ofstream(PathOf(name)) << text;
    chmod(PathOf(name).c_str(), mode);
    return PathOf(name);
  }

  static std::string TextOf(const WipedBytes& bytes) { return {bytes.span().begin(), bytes.span().end()}; }

  const std::string folder_ = absl::StrCat(::testing::TempDir(), "/secret_file_test_", getpid());
};

TEST_F(SecretFileTest, ReadsAWholeFile) {
  const auto content = ReadSecretFile(Write("password", "left right", 0600), 10, SecretFileKind::kRegular);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(TextOf(*content), "left right");
}

TEST_F(SecretFileTest, RefusesWhatIsTooLargeMissingOpenOrNoFile) {
  const std::string large = Write("large", "0123456789a", 0600);
  EXPECT_EQ(ReadSecretFile(large, 10, SecretFileKind::kRegular).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile(PathOf("none"), 10, SecretFileKind::kRegular).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadSecretFile(Write("open", "x", 0644), 10, SecretFileKind::kRegular).status().code(),
            absl::StatusCode::kPermissionDenied);
  for (const std::string& path : {folder_, std::string("/dev/null")}) {
    EXPECT_THAT(ReadSecretFile(path, 10, SecretFileKind::kRegularOrPipe).status().message(),
                HasSubstr("is not a regular file"));
  }
}

TEST_F(SecretFileTest, ALinkThatLeadsNowhereIsNoNewFile) {
  EXPECT_TRUE(CheckNewFile(PathOf("new")).ok());
  std::filesystem::create_symlink(PathOf("none"), PathOf("link"));
  for (const std::string& path : {Write("old", "x", 0600), PathOf("link"), folder_}) {
    EXPECT_EQ(CheckNewFile(path).message(), path + " exists: name a new file");
  }
}

TEST_F(SecretFileTest, ReadsAPipeThroughItsDescriptor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Descriptor reader(ends[0]);
  {
    const Descriptor writer(ends[1]);
    ASSERT_EQ(write(writer.get(), "from a pipe", 11), 11);
  }
  const std::string path = absl::StrCat("/dev/fd/", reader.get());
  const auto content = ReadSecretFile(path, 64, SecretFileKind::kRegularOrPipe);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(TextOf(*content), "from a pipe");
}

TEST_F(SecretFileTest, BoundsWhatComesFromAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Descriptor reader(ends[0]);
  const Descriptor writer(ends[1]);  // stays open: the bound decides, not the end
  ASSERT_EQ(write(writer.get(), "0123456789a", 11), 11);
  const std::string path = absl::StrCat("/dev/fd/", reader.get());
  EXPECT_EQ(ReadSecretFile(path, 10, SecretFileKind::kRegularOrPipe).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SecretFileTest, WaitsForTheWriterOfAFifo) {
  const std::string path = PathOf("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&path] {
    const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(write(file.get(), "late", 4), 4);
  });
  const auto content = ReadSecretFile(path, 64, SecretFileKind::kRegularOrPipe);
  writer.join();
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(TextOf(*content), "late");
}

TEST_F(SecretFileTest, AKeyFileIsNoPipe) {
  const std::string path = PathOf("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(ReadSecretFile(path, 64, SecretFileKind::kRegular).status().message(),
              HasSubstr("is not a regular file"));
}

TEST_F(SecretFileTest, WarnsOnceOfFilesThatAGroupCanRead) {
  const std::string closed = Write("closed", "x", 0600);
  const std::string open = Write("open", "x", 0440);
  EXPECT_EQ(GroupReadableWarning({closed, "", PathOf("none")}), "");
  EXPECT_THAT(GroupReadableWarning({closed, open}), HasSubstr(open));
  EXPECT_THAT(GroupReadableWarning({open, Write("other", "x", 0440)}), HasSubstr(" and 1 more files"));
}

}  // namespace
}  // namespace lean
