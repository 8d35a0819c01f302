#include <sys/stat.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "common/process/whole_file.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "validator_client/commands/keys/keys_export.h"
#include "validator_client/commands/keys/keys_import.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/key_manifest.h"
#include "validator_client/keys/keystore_folder.h"

namespace lean::validator {
namespace {

// Plain keys of two validators, and their export for other clients.
class KeysHashSigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<KeystoreFolder> folder = KeystoreFolder::Open(list_);
    ASSERT_TRUE(folder.ok()) << folder.status();
    for (const uint64_t index : {0, 1}) ASSERT_TRUE(folder->Add(index, Key(index, 64), {}, {}, random_).ok());
  }

  static xmss::SecretKey Key(uint64_t seed, uint64_t slots) {
    SeededRandomSource random(seed);
    return *xmss::GenerateKey(*xmss::Scheme::Create(8), {0, slots}, random, {});
  }
  absl::Status Export(std::vector<uint64_t> indices) {
    KeysExportOptions options;
    options.keystores = list_;
    options.indices = std::move(indices);
    options.records.never_signed = true;
    options.output = copies_;
    options.as_hash_sig_keys = true;
    return ExportKeys(options, random_, out_);
  }

  TemporaryFolder dir_;
  const std::string list_ = absl::StrCat(dir_.path(), "/keys/keystores.yaml");
  const std::string copies_ = absl::StrCat(dir_.path(), "/hash-sig-keys");
  SeededRandomSource random_{1};
  std::ostringstream out_;
};

TEST_F(KeysHashSigTest, ExportWritesLeanSigsFilesAndTheirManifest) {
  ASSERT_TRUE(Export({1, 0}).ok());
  const auto manifest = ReadKeyManifest(absl::StrCat(copies_, "/", kManifestName));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->warning, "");
  ASSERT_EQ(manifest->entries.size(), 2);
  for (const KeystoreEntry& entry : manifest->entries) {
    const xmss::SecretKey key = Key(entry.index, 64);
    const auto secret = ReadTextFile(entry.path, 1 << 20);
    ASSERT_TRUE(secret.ok()) << secret.status();
    const WipedBytes expected = xmss::EncodeLeanSigSecretKey(key);
    EXPECT_TRUE(std::equal(secret->begin(), secret->end(), expected.span().begin(), expected.span().end(),
                           [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; }));
    EXPECT_EQ(entry.pubkey, PublicKeyBytesOf(key.scheme(), key.public_key()));
    struct stat info {};
    ASSERT_EQ(stat(entry.path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
  }
  const std::string text = *ReadTextFile(absl::StrCat(copies_, "/", kManifestName), 1 << 20);
  EXPECT_NE(text.find("key_scheme: SIGTopLevelTargetSumLifetime8Dim64Base8\n"), std::string::npos) << text;
  EXPECT_NE(text.find("log_num_active_epochs: 6\nnum_active_epochs: 64\nnum_validators: 2\n"), std::string::npos)
      << text;
  EXPECT_FALSE(Export({0}).ok()) << "never over an earlier one";
}

TEST_F(KeysHashSigTest, WhatIsExportedCanBeImported) {
  ASSERT_TRUE(Export({0, 1}).ok());
  const std::string list = absl::StrCat(dir_.path(), "/again/keystores.yaml");
  KeysImportOptions options;
  options.source = copies_;
  options.keystores = list;
  const absl::Status imported = ImportKeys(options, random_, out_);
  ASSERT_TRUE(imported.ok()) << imported;
  const auto folder = KeystoreFolder::Open(list);
  ASSERT_TRUE(folder.ok()) << folder.status();
  ASSERT_EQ(folder->entries().size(), 2);
  for (const uint64_t index : {0, 1}) {
    const xmss::SecretKey key = Key(index, 64);
    EXPECT_EQ(folder->Find(index)->pubkey, PublicKeyBytesOf(key.scheme(), key.public_key()));
  }
}

TEST_F(KeysHashSigTest, AManifestHasKeysOfOneKind) {
  absl::StatusOr<KeystoreFolder> folder = KeystoreFolder::Open(list_);
  ASSERT_TRUE(folder->Add(2, Key(2, 128), {}, {}, random_).ok());
  EXPECT_EQ(Export({0, 2}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lean::validator
