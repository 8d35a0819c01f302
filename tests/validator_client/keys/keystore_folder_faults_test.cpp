// Calls that change files fail, one after the other, while a key is added to a folder or removed from it.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/keymanager/fault_files.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keys/keystore_folder.h"

namespace lean::validator {
namespace {

xmss::SecretKey Key(uint64_t seed) {
  SeededRandomSource random(seed);
  return *xmss::GenerateKey(*xmss::Scheme::Create(8), {0, 64}, random, {});
}

// A folder with the key of validator 3.
class Folder {
 public:
  explicit Folder(const xmss::SecretKey& key) { EXPECT_TRUE(Add(3, key).ok()); }

  KeystoreFolder Open() const { return *KeystoreFolder::Open(list_); }
  absl::Status Add(uint64_t index, const xmss::SecretKey& key) {
    return Open().Add(index, key, KeyState(), {&password_, kCheapCost}, random_);
  }

  // Every key on the list has its file.
  void ExpectWhole(uint64_t at) const {
    const absl::StatusOr<KeystoreFolder> folder = KeystoreFolder::Open(list_);
    ASSERT_TRUE(folder.ok()) << "call " << at << ": " << folder.status();
    for (const KeystoreEntry& entry : folder->entries()) {
      const absl::StatusOr<KeyFileSummary> file = SummarizeKeyFile(entry.path);
      EXPECT_TRUE(file.ok() && file->pubkey == entry.pubkey) << "call " << at << ": " << file.status();
    }
  }

 private:
  TemporaryFolder dir_;
  const std::string list_ = absl::StrCat(dir_.path(), "/keys/keystores.yaml");
  const Password password_ = MakePassword("right");
  SeededRandomSource random_{1};
};

// Runs `work` with a fault at this call. Returns the number of calls.
uint64_t WithFault(uint64_t at, const std::function<void()>& work) {
  uint64_t calls = 0;
  std::thread([&] {
    ArmFileFaults({.fault = FileFault::kFail, .at = at, .seed = 1, .folder = ""});
    work();
    calls = FileCalls();
    DisarmFileFaults();
  }).join();
  return calls;
}

TEST(KeystoreFolderFaultsTest, WhatTheListNamesIsThereAfterAnAdditionThatFailed) {
  const xmss::SecretKey first = Key(1);
  const xmss::SecretKey second = Key(2);
  uint64_t at = 0;
  for (bool through = false; !through; ++at) {
    Folder folder(first);
    through = WithFault(at, [&] { folder.Add(4, second).IgnoreError(); }) <= at;
    folder.ExpectWhole(at);
    // It can be repeated.
    EXPECT_TRUE(folder.Open().Find(4) != nullptr || folder.Add(4, second).ok()) << "call " << at;
    folder.ExpectWhole(at);
  }
  EXPECT_GT(at, 10u);
}

TEST(KeystoreFolderFaultsTest, AFolderIsDurableBeforeItsKey) {
  const TemporaryFolder dir;
  const std::string folder = absl::StrCat(dir.path(), "/a/b/keys");
  const auto prepare = [&](uint64_t at) {
    absl::Status status;
    const uint64_t calls = WithFault(at, [&] { status = PreparePrivateFolder(folder); });
    EXPECT_EQ(status.ok(), calls <= at) << status;
    return calls;
  };
  EXPECT_EQ(prepare(UINT64_MAX), 3u) << "the names of a, b and keys are synced";
  EXPECT_EQ(prepare(UINT64_MAX), 0u) << "it is there";
  std::filesystem::remove_all(absl::StrCat(dir.path(), "/a/b"));
  EXPECT_EQ(prepare(1), 2u) << "an error of the second one is an error";
}

TEST(KeystoreFolderFaultsTest, ARemovalThatFailedChangesNothing) {
  const xmss::SecretKey first = Key(1);
  const xmss::SecretKey second = Key(2);
  const PublicKeyBytes pubkey = PublicKeyBytesOf(second.scheme(), second.public_key());
  uint64_t at = 0;
  for (bool through = false; !through; ++at) {
    Folder folder(first);
    ASSERT_TRUE(folder.Add(4, second).ok());
    absl::Status removed;
    through = WithFault(at, [&] { removed = folder.Open().Remove(pubkey); }) <= at;
    folder.ExpectWhole(at);
    const bool off_the_list = removed.ok() || absl::IsInternal(removed);
    EXPECT_EQ(folder.Open().Find(4) == nullptr, off_the_list) << "call " << at << ": " << removed;
  }
  EXPECT_GT(at, 6u);
}

}  // namespace
}  // namespace lean::validator
