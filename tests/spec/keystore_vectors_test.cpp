// Replays the vectors of keystores and signing records (tests/vectors/keystores/README.md).
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/signature.h"
#include "common/secrets/secret_file.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/spec/support/vector_files.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/key_bundle.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::spec {
namespace {

using nlohmann::json;
using validator::KeyHistory;
using validator::Password;
using validator::SignedLeaf;

class KeystoreVectors : public testing::TestWithParam<std::filesystem::path> {
 protected:
  void SetUp() override {
    const absl::StatusOr<json> file = ReadJson(GetParam());
    ASSERT_TRUE(file.ok()) << file.status();
    vector_ = *file;
    if (vector_.contains("password")) password_ = validator::MakePassword(vector_.at("password").get<std::string>());
  }

  validator::PasswordSource Source() {
    return [this]() -> absl::StatusOr<const Password*> { return &*password_; };
  }

  void WriteKeystore() const {
    const std::string text = vector_.at("keystore").dump();
    ASSERT_TRUE(WritePrivateFile(path_, BytesOfText(text), IfExists::kReplace).ok());
  }

  // The whole key, with its trees.
  absl::StatusOr<validator::WholeKey> Read() { return ReadWholeKey(path_, Source(), /*may_be_public=*/false, {}); }

  void CheckRefused(const absl::Status& status) const {
    ASSERT_FALSE(status.ok()) << vector_.at("about");
    EXPECT_TRUE(absl::StrContains(status.message(), vector_.at("error").get<std::string>())) << status;
  }

  void CheckKey(const validator::WholeKey& read) const {
    const xmss::SecretKey& key = read.key;
    EXPECT_EQ(ToHex(validator::PublicKeyBytesOf(key.scheme(), key.public_key()).span()).substr(2),
              vector_.at("keystore").at("pubkey"));
    EXPECT_EQ(ToHex(key.parts().prf_key.bytes()).substr(2), vector_.at("prf_key"));
    const json& expected = vector_.at("signature");
    const auto message = ParseFixedHex<Root>(expected.at("message").get<std::string>());
    ASSERT_TRUE(message.ok()) << message.status();
    const auto signature = key.Sign(expected.at("epoch"), *message);
    ASSERT_TRUE(signature.ok()) << signature.status();
    const auto bytes = ParseHex(expected.at("signature").get<std::string>());
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    xmss::Signature of_leansig;
    ASSERT_TRUE(xmss::DecodeSsz(key.scheme(), *bytes, of_leansig).ok());
    SignatureBytes ours;
    SignatureBytes theirs;
    xmss::EncodeFlat(key.scheme(), *signature, ours.mutable_span());
    xmss::EncodeFlat(key.scheme(), of_leansig, theirs.mutable_span());
    EXPECT_EQ(ours, theirs);
  }

  void CheckUpgrade() {
    SeededRandomSource random(1);
    const auto upgrade = [&] {
      return validator::UpgradeKeyFile(path_, {.high_water = 240}, Source(), validator::kCheapCost, random);
    };
    xmss::RemoveCaches(path_);
    const auto converted = upgrade();
    ASSERT_TRUE(converted.ok()) << converted.status();
    EXPECT_EQ(*converted, validator::Upgrade::kConverted);
    EXPECT_EQ(validator::SummarizeKeyFile(path_)->form, std::string("encrypted-v5"));
    EXPECT_EQ(validator::SummarizeKeyFile(path_)->state.high_water, 240);
    for (const bool has_caches : {true, false}) {
      if (!has_caches) xmss::RemoveCaches(path_);
      const auto read = Read();
      ASSERT_TRUE(read.ok()) << read.status();
      CheckKey(*read);
    }
    EXPECT_EQ(*upgrade(), validator::Upgrade::kUnchanged);
  }

  void CheckKeystore() {
    WriteKeystore();
    const auto opened = OpenKeyFile(path_, Source());
    if (!vector_.at("valid").get<bool>()) {
      if (vector_.at("stage") == "open") return CheckRefused(opened.status());
      ASSERT_TRUE(opened.ok()) << opened.status();
      return CheckRefused(Read().status());
    }
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(!opened->state.recovery_only, vector_.at("signs"));
    const std::optional<uint64_t> high_water =
        vector_.contains("high_water") ? std::optional<uint64_t>(vector_.at("high_water")) : std::nullopt;
    EXPECT_EQ(opened->state.high_water, high_water);
    const auto read = Read();
    ASSERT_TRUE(read.ok()) << read.status();
    CheckKey(*read);
    if (vector_.at("keystore").at("version") == 4) CheckUpgrade();
  }

  static std::map<std::string, std::map<std::string, json>> LeavesOf(const std::vector<KeyHistory>& histories) {
    std::map<std::string, std::map<std::string, json>> leaves;
    for (const KeyHistory& history : histories) {
      auto& of_key = leaves[ToHex(history.pubkey.span())];
      for (const SignedLeaf& leaf : history.leaves) {
        of_key[absl::StrCat(leaf.slot)] = leaf.root.has_value() ? json(ToHex(leaf.root->span())) : json();
      }
    }
    return leaves;
  }

  void CheckRecords() const {
    const auto histories = validator::ParseInterchange(vector_.at("records").dump());
    if (!vector_.at("valid").get<bool>()) return CheckRefused(histories.status());
    ASSERT_TRUE(histories.ok()) << histories.status();
    EXPECT_EQ(json(LeavesOf(*histories)), vector_.at("leaves"));
    const std::string again = validator::FormatEip3076(*histories, validator::InterchangeForm::kLeaves, Root());
    EXPECT_EQ(json::parse(again), vector_.at("records")) << "is written as it was read";
  }

  void CheckRegression() {
    WriteKeystore();
    const auto pubkey = ParseFixedHex<PublicKeyBytes>(vector_.at("keystore").at("pubkey").get<std::string>());
    const std::string list = dir_.path() + "/keystores.yaml";
    std::ofstream(list) << validator::FormatKeystoreList({{0, *pubkey, path_, ""}});
    const auto keystores = validator::OpenKeystores(list, Source(), 1);
    ASSERT_TRUE(keystores.ok()) << keystores.status();
    const auto histories = validator::ParseInterchange(vector_.at("records").dump());
    ASSERT_TRUE(histories.ok()) << histories.status();
    const auto records = validator::SqliteSigningRecords::Open({.path = dir_.path() + "/records", .create = true});
    ASSERT_TRUE(records.ok() && (*records)->Import(*histories).ok()) << records.status();
    const absl::Status reach = validator::CheckRecordsReach(keystores->states, **records, "the records");
    EXPECT_EQ(reach.ok(), vector_.at("signs")) << reach;
    EXPECT_TRUE(reach.ok() || absl::StrContains(reach.message(), "lean-validator records")) << reach;
  }

  void CheckBundle() {
    const auto bundle = validator::ParseKeyBundle(vector_.at("bundle").dump());
    if (!vector_.at("valid").get<bool>()) return CheckRefused(bundle.status());
    ASSERT_TRUE(bundle.ok()) << bundle.status();
    EXPECT_EQ(json(LeavesOf(bundle->histories)), vector_.at("leaves"));
    json indices = json::object();
    for (const validator::BundledKey& key : bundle->keys) {
      indices[absl::StrCat(key.index)] = ToHex(key.keystore.pubkey.span());
      auto secret = validator::Decrypt(key.keystore.secret, *password_);
      ASSERT_TRUE(secret.ok()) << secret.status();
      const auto opened = validator::OpenDecrypted(key.keystore, *std::move(secret), "key");
      EXPECT_TRUE(opened.ok()) << opened.status();
    }
    EXPECT_EQ(indices, vector_.at("indices"));
    EXPECT_EQ(json::parse(validator::FormatKeyBundle(*bundle)), vector_.at("bundle")) << "is written as it was read";
  }

  TemporaryFolder dir_;
  const std::string path_ = absl::StrCat(dir_.path(), "/validator_0.json");
  json vector_;
  std::optional<Password> password_;
};

TEST_P(KeystoreVectors, IsReadAsExpected) {
  const std::string kind = vector_.at("kind");
  if (kind == "keystore") return CheckKeystore();
  if (kind == "records") return CheckRecords();
  if (kind == "regression") return CheckRegression();
  ASSERT_EQ(kind, "bundle");
  CheckBundle();
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KeystoreVectors);
INSTANTIATE_TEST_SUITE_P(Files, KeystoreVectors, testing::ValuesIn(VectorFiles("keystores")), VectorTestName);

}  // namespace
}  // namespace lean::spec
