#include "validator_client/keys/keystore_folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keys/keystores.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

class KeystoreFolderTest : public ::testing::Test {
 protected:
  static xmss::SecretKey Key(uint64_t seed) {
    SeededRandomSource random(seed);
    return *xmss::GenerateKey(*xmss::Scheme::Create(8), {0, 64}, random, {});
  }
  static PublicKeyBytes PubkeyOf(const xmss::SecretKey& key) {
    return PublicKeyBytesOf(key.scheme(), key.public_key());
  }

  KeystoreFolder Open() { return *KeystoreFolder::Open(list_); }
  absl::Status Add(uint64_t index, const xmss::SecretKey& key) {
    return Open().Add(index, key, KeyState(), protection_, random_);
  }

  TemporaryFolder dir_;
  const std::string folder_ = absl::StrCat(dir_.path(), "/keys");
  const std::string list_ = absl::StrCat(folder_, "/keystores.yaml");
  const Password password_ = MakePassword("right");
  const KeyProtection protection_{&password_, kCheapCost};
  SeededRandomSource random_{1};
};

TEST_F(KeystoreFolderTest, WhatIsAddedIsOpenedByRun) {
  const xmss::SecretKey key = Key(1);
  ASSERT_TRUE(Add(3, key).ok());
  ASSERT_TRUE(Open().Add(5, Key(2), KeyState(), KeyProtection{}, random_).ok()) << "plain beside encrypted";
  const auto keystores = OpenKeystores(
      list_, [this]() -> absl::StatusOr<const Password*> { return &password_; }, 1);
  ASSERT_TRUE(keystores.ok()) << keystores.status();
  ASSERT_EQ(keystores->keys.size(), 2);
  EXPECT_EQ(keystores->keys[0].index, 3);
  EXPECT_EQ(keystores->keys[0].key->pubkey(), PubkeyOf(key));
  EXPECT_EQ(fs::path(ReadKeystoreList(list_)->at(0).path), folder_ + "/validator_3.json");
  struct stat info {};
  ASSERT_EQ(stat(folder_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  // The folder can be moved, because the paths in the list are relative to it.
  fs::rename(folder_, folder_ + "2");
  EXPECT_TRUE(SummarizeKeyFile(ReadKeystoreList(folder_ + "2/keystores.yaml")->at(1).path).ok());
}

TEST_F(KeystoreFolderTest, RefusesAnIndexOrAKeyThatIsThere) {
  ASSERT_TRUE(Add(3, Key(1)).ok());
  EXPECT_EQ(Add(3, Key(2)).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Add(4, Key(1)).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Open().entries().size(), 1);
  EXPECT_FALSE(fs::exists(folder_ + "/validator_4.json"));
}

TEST_F(KeystoreFolderTest, AKeyThatACrashLeftUnlistedIsWrittenAgain) {
  ASSERT_TRUE(Add(3, Key(1)).ok());
  ASSERT_TRUE(fs::remove(list_));
  EXPECT_EQ(Add(3, Key(2)).code(), absl::StatusCode::kAlreadyExists) << "another key's file";
  EXPECT_TRUE(Add(3, Key(1)).ok());
  EXPECT_EQ(Open().entries().size(), 1);
}

// The file may be the only copy of the key.
TEST_F(KeystoreFolderTest, AKeyThatIsWrittenAgainIsOnTheDiskAtAnyTime) {
  class Broken : public RandomSource {
    absl::Status Fill(absl::Span<uint8_t>) override { return absl::InternalError("no random numbers"); }
  };
  const xmss::SecretKey key = Key(1);
  ASSERT_TRUE(Add(3, key).ok());
  ASSERT_TRUE(fs::remove(list_));
  Broken broken;
  EXPECT_FALSE(Open().Add(3, key, KeyState(), protection_, broken).ok());
  const absl::StatusOr<KeyFileSummary> file = SummarizeKeyFile(folder_ + "/validator_3.json");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->pubkey, PubkeyOf(key));
}

TEST_F(KeystoreFolderTest, AListThatCannotBeFoundOutAboutIsNoEmptyList) {
  ASSERT_TRUE(Add(3, Key(1)).ok());
  EXPECT_FALSE(KeystoreFolder::Open(absl::StrCat(folder_, "/", std::string(5000, 'x'))).ok()) << "too long a name";
}

TEST_F(KeystoreFolderTest, AFileThatNoListNamesIsNotOverwritten) {
  ASSERT_TRUE(Add(3, Key(1)).ok());
  std::ofstream(folder_ + "/validator_4.json") << "precious";
  EXPECT_EQ(Add(4, Key(2)).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(fs::file_size(folder_ + "/validator_4.json"), 8);
  EXPECT_EQ(Open().entries().size(), 1);
}

TEST_F(KeystoreFolderTest, RemovesTheKeyItsCacheAndItsEntry) {
  const xmss::SecretKey key = Key(1);
  ASSERT_TRUE(Add(3, key).ok());
  ASSERT_TRUE(Add(4, Key(2)).ok());
  ASSERT_TRUE(Open().Remove(PubkeyOf(key)).ok());
  EXPECT_FALSE(fs::exists(folder_ + "/validator_3.json"));
  EXPECT_FALSE(fs::exists(folder_ + "/validator_3.json.trees"));
  EXPECT_TRUE(fs::exists(folder_ + "/validator_4.json"));
  ASSERT_EQ(Open().entries().size(), 1);
  EXPECT_EQ(Open().entries()[0].index, 4);
  EXPECT_EQ(Open().Remove(PubkeyOf(key)).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Open().Remove(PubkeyOf(Key(2))).ok());
  EXPECT_FALSE(fs::exists(list_)) << "the last one takes the list with it";
  EXPECT_TRUE(Open().entries().empty());
}

TEST_F(KeystoreFolderTest, RefusesAFolderThatOthersMayRead) {
  fs::create_directories(folder_);
  ASSERT_EQ(chmod(folder_.c_str(), 0750), 0);
  EXPECT_EQ(Add(3, Key(1)).code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(KeystoreFolderTest, ADamagedListIsAnErrorAndNotAnEmptyList) {
  ASSERT_TRUE(Add(3, Key(1)).ok());
  std::ofstream(list_, std::ios::trunc) << "- index: x\n";
  EXPECT_EQ(KeystoreFolder::Open(list_).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lean::validator
