// Imports leanSig's saved secret keys, as the devnet tooling leaves them, into encrypted keystores: every file of the
// vectors' leansig folder that has one. What was imported signs what leanSig signed.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/signature.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/spec/support/vector_files.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/keys_import.h"
#include "validator_client/keys/keystores.h"

namespace lean::spec {
namespace {

using nlohmann::json;
using validator::Password;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LeanSigImport);

// Files with a secret key of a lifetime that networks can have.
std::vector<std::filesystem::path> FilesWithKeys() {
  std::vector<std::filesystem::path> files = VectorFiles("leansig");
  std::erase_if(files, [](const std::filesystem::path& path) {
    const absl::StatusOr<json> file = ReadJson(path);
    return !file.ok() || !file->contains("secret_key_file") || !xmss::Scheme::Create(file->at("log_lifetime")).ok();
  });
  return files;
}

class LeanSigImport : public testing::TestWithParam<std::filesystem::path> {
 protected:
  void SetUp() override {
    const absl::StatusOr<json> file = ReadJson(GetParam());
    ASSERT_TRUE(file.ok()) << file.status();
    file_ = *file;
    std::filesystem::path path = GetParam().parent_path() / file_.at("secret_key_file").get<std::string>();
    if (!std::filesystem::exists(path)) path += ".gz";
    const absl::StatusOr<std::string> secret = ReadVectorFile(path);
    ASSERT_TRUE(secret.ok()) << secret.status();
    std::filesystem::create_directory(source_);
    std::ofstream(source_ + "/validator_0_sk.ssz", std::ios::binary) << *secret;
    const absl::StatusOr<std::vector<uint8_t>> pubkey = ParseHex(file_.at("public_key").get<std::string>());
    ASSERT_TRUE(pubkey.ok()) << pubkey.status();
    std::ofstream(source_ + "/validator_0_pk.ssz", std::ios::binary) << std::string(pubkey->begin(), pubkey->end());
    std::ofstream(source_ + "/validator-keys-manifest.yaml")
        << "validators:\n  - index: 0\n    pubkey_hex: " << ToHex(*pubkey)
        << "\n    privkey_file: validator_0_sk.ssz\n";
  }

  TemporaryFolder dir_;
  const std::string source_ = absl::StrCat(dir_.path(), "/hash-sig-keys");
  json file_;
};

TEST_P(LeanSigImport, SignsWhatLeanSigSigned) {
  const Password password = validator::MakePassword("right");
  const validator::PasswordSource source = [&password]() -> absl::StatusOr<const Password*> { return &password; };
  SeededRandomSource random(1);
  std::ostringstream out;
  const std::string list = absl::StrCat(dir_.path(), "/keys/keystores.yaml");
  const absl::Status imported = validator::ImportKeys({.source = source_,
                                                       .keystores = list,
                                                       .indices = {},
                                                       .source_password = source,
                                                       .protection = {&password, validator::kCheapCost}},
                                                      random, out);
  ASSERT_TRUE(imported.ok()) << imported;
  std::filesystem::remove_all(source_);

  const auto keystores = validator::OpenKeystores(list, source, 2);
  ASSERT_TRUE(keystores.ok()) << keystores.status();
  validator::SigningKey& key = *keystores->keys[0].key;
  EXPECT_EQ(ToHex(key.pubkey().span()).substr(2), file_.at("public_key"));
  const xmss::Scheme scheme = *xmss::Scheme::Create(file_.at("log_lifetime"));
  for (const json& expected : file_.at("signatures")) {
    const uint64_t slot = expected.at("epoch");
    SCOPED_TRACE(absl::StrCat("slot ", slot));
    ASSERT_TRUE(key.Prepare(slot, [](double) {}).ok());
    const absl::StatusOr<Root> message = ParseFixedHex<Root>(expected.at("message").get<std::string>());
    ASSERT_TRUE(message.ok()) << message.status();
    const absl::StatusOr<SignatureBytes> signature = key.Sign(slot, *message);
    ASSERT_TRUE(signature.ok()) << signature.status();
    const absl::StatusOr<std::vector<uint8_t>> ssz = ParseHex(expected.at("signature").get<std::string>());
    ASSERT_TRUE(ssz.ok()) << ssz.status();
    xmss::Signature decoded;
    ASSERT_TRUE(xmss::DecodeSsz(scheme, *ssz, decoded).ok());
    SignatureBytes flat;
    xmss::EncodeFlat(scheme, decoded, flat.mutable_span());
    EXPECT_EQ(*signature, flat);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, LeanSigImport, testing::ValuesIn(FilesWithKeys()), VectorTestName);

}  // namespace
}  // namespace lean::spec
