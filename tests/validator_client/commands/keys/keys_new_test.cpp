#include "validator_client/commands/keys/keys_new.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "validator_client/commands/key_options.h"
#include "validator_client/keys/keystore/keystore_list.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

size_t FilesIn(const std::string& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

class KeysNewTest : public ::testing::Test {
 protected:
  absl::Status Make(std::vector<uint64_t> indices) {
    return MakeKeys({.output_dir = folder_, .indices = std::move(indices), .log_lifetime = 8, .active_slots = 20},
                    random_, cancelled_, out_, false);
  }

  TemporaryFolder dir_;
  const std::string folder_ = absl::StrCat(dir_.path(), "/a/keys");
  SeededRandomSource random_{1};
  std::atomic<bool> cancelled_{false};
  std::ostringstream out_;
};

TEST_F(KeysNewTest, MakesPrivateFilesInAPrivateFolder) {
  ASSERT_TRUE(Make({0, 5}).ok());
  EXPECT_EQ(ModeOf(folder_), 0700);
  EXPECT_EQ(ModeOf(folder_ + "/validator_0.key"), 0600);
  EXPECT_EQ(ModeOf(folder_ + "/validator_5.key"), 0600);
  EXPECT_EQ(FilesIn(folder_), 5) << "two keys with their trees, and the list";
  const auto entries = ReadKeystoreList(folder_ + "/keystores.yaml");
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 2);
  EXPECT_EQ((*entries)[1].index, 5);
  EXPECT_EQ((*entries)[1].path, folder_ + "/validator_5.key");
  EXPECT_NE((*entries)[0].pubkey, (*entries)[1].pubkey);
}

TEST_F(KeysNewTest, ShowsPercentAndTimeLeftOfAllKeys) {
  ASSERT_TRUE(Make({0, 5}).ok());
  EXPECT_TRUE(absl::StrContains(out_.str(), "keys: 2 of 2 done, 100 %")) << out_.str();
  EXPECT_TRUE(absl::StrContains(out_.str(), "s left"));
  EXPECT_TRUE(absl::StrContains(out_.str(), "made 2 plain keys of lifetime 2^8 for slots 0 to 31; their list is "))
      << "20 slots are widened to two bottom trees";
}

TEST_F(KeysNewTest, RefusesToOverwriteAnything) {
  ASSERT_TRUE(Make({0}).ok());
  const auto before = ReadKeystoreList(folder_ + "/keystores.yaml");
  EXPECT_EQ(Make({0}).code(), absl::StatusCode::kAlreadyExists);
  fs::rename(folder_ + "/keystores.yaml", folder_ + "/ours.yaml");
  const absl::Status status = Make({1, 0});
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), folder_ + "/validator_0.key exists: name another folder");
  EXPECT_FALSE(fs::exists(folder_ + "/validator_1.key")) << "found before any key is made";
  EXPECT_TRUE(fs::exists(folder_ + "/validator_0.key"));
  EXPECT_TRUE(Make({1}).ok()) << "beside other keys is fine";
}

TEST_F(KeysNewTest, RefusesAFolderThatOthersMayRead) {
  fs::create_directories(folder_);
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
  EXPECT_EQ(Make({0}).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FilesIn(folder_), 0);
}

TEST_F(KeysNewTest, LeavesNothingBehindWhenCancelled) {
  cancelled_ = true;
  EXPECT_EQ(Make({0, 1}).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(FilesIn(folder_), 0);
}

// Fails at the second key.
class FailingRandomSource : public RandomSource {
 public:
  absl::Status Fill(absl::Span<uint8_t> out) override {
    if (fail) return absl::InternalError("no randomness");
    return source_.Fill(out);
  }
  bool fail = false;

 private:
  SeededRandomSource source_{1};
};

// Makes the source fail after the first key.
class FailAfterFirstKey : public std::stringbuf {
 public:
  explicit FailAfterFirstKey(FailingRandomSource& source) : source_(source) {}

 protected:
  int sync() override {
    if (absl::StrContains(str(), " 50 %")) source_.fail = true;
    return 0;
  }

 private:
  FailingRandomSource& source_;
};

TEST_F(KeysNewTest, LeavesNothingBehindWhenALaterKeyFails) {
  FailingRandomSource random;
  FailAfterFirstKey buffer(random);
  std::ostream out(&buffer);
  const absl::Status status =
      MakeKeys({.output_dir = folder_, .indices = {0, 1}, .log_lifetime = 8, .active_slots = 20}, random, cancelled_,
               out, false);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_EQ(FilesIn(folder_), 0);
}

TEST(IndexList, ReadsRangesAndLists) {
  EXPECT_EQ(*ParseIndexList("0..3"), (std::vector<uint64_t>{0, 1, 2, 3}));
  EXPECT_EQ(*ParseIndexList("5"), (std::vector<uint64_t>{5}));
  EXPECT_EQ(*ParseIndexList("7,0..1,4095"), (std::vector<uint64_t>{7, 0, 1, 4095}));
  EXPECT_EQ(*ParseIndexList("2..2"), (std::vector<uint64_t>{2}));
}

TEST(IndexList, RefusesTheRest) {
  for (const char* text : {"", ",", "0,", "a", "-1", "0..", "..3", "3..0", "0..1..2", "4096", "0..4096", "1,1",
                           "0..3,2", "18446744073709551616", "0...3", "+1", "01", "0..3 ", "0, 1"}) {
    EXPECT_EQ(ParseIndexList(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(KeyProgress, RewritesOneLineOnATerminal) {
  std::ostringstream out;
  const KeyProgress::Time begin;
  KeyProgress progress(out, true, 2, begin);
  progress.Update(0.5, begin + std::chrono::seconds(10));
  progress.Update(0.501, begin + std::chrono::seconds(11));  // the same percent
  progress.EndKey(begin + std::chrono::seconds(20));
  EXPECT_EQ(out.str(),
            "\rkeys: 0 of 2 done,  25 %, 30 s left"
            "\rkeys: 1 of 2 done,  50 %, 20 s left");
  out.str("");
  progress.EndKey(begin + std::chrono::seconds(40));
  EXPECT_TRUE(absl::EndsWith(out.str(), "\rkeys: 2 of 2 done in 40.0 s\n")) << out.str();
}

TEST(KeyProgress, WritesALineForEveryTenthOfAllKeysElsewhere) {
  for (const int keys : {1, 7, 1024}) {
    std::ostringstream out;
    const KeyProgress::Time begin;
    KeyProgress progress(out, false, static_cast<size_t>(keys), begin);
    for (int key = 0; key < keys; ++key) {
      for (int i = 1; i <= 100; ++i) progress.Update(i / 100.0, begin + std::chrono::seconds(100 * key + i));
      progress.EndKey(begin + std::chrono::seconds(100 * key + 100));
    }
    const std::string text = out.str();
    const auto lines = std::count(text.begin(), text.end(), '\n');
    EXPECT_GE(lines, 11) << keys;
    EXPECT_LE(lines, 12) << keys << text;
    EXPECT_FALSE(absl::StrContains(text, "\r"));
  }
}

}  // namespace
}  // namespace lean::validator
