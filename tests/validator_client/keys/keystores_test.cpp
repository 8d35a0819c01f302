#include "validator_client/keys/keystores.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/xmss_signing_key.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

class KeystoresTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(MakeTestKeystores(folder_, {0, 3}).ok()); }

  // The error without the name of the folder.
  std::string Error() {
    const auto keystores = OpenKeystores(list_, NoPassword, 1);
    return keystores.ok() ? "no error" : absl::StrReplaceAll(keystores.status().message(), {{folder_ + "/", ""}});
  }
  void Edit(const std::string& from, const std::string& to) {
    std::ifstream in(list_);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::string edited = absl::StrReplaceAll(text, {{from, to}});
    ASSERT_NE(text, edited);
    std::ofstream(list_) << edited;
  }

  TemporaryFolder dir_;
  const std::string folder_ = absl::StrCat(dir_.path(), "/keys");
  const std::string list_ = absl::StrCat(folder_, "/keystores.yaml");
  const std::string key_0_ = absl::StrCat(folder_, "/validator_0.key");
  const std::string key_3_ = absl::StrCat(folder_, "/validator_3.key");
};

TEST_F(KeystoresTest, OpensWhatKeysNewMade) {
  const auto keystores = OpenKeystores(list_, NoPassword, 1);
  ASSERT_TRUE(keystores.ok()) << keystores.status();
  EXPECT_EQ(keystores->log_lifetime, 8);
  ASSERT_EQ(keystores->keys.size(), 2);
  EXPECT_EQ(keystores->keys[0].index, 0);
  EXPECT_EQ(keystores->keys[1].index, 3);
  EXPECT_EQ(keystores->keys[1].origin, absl::StrCat(list_, ":5"));
  EXPECT_EQ(keystores->keys[1].key->active_slots(), (SlotRange{0, 64}));
}

TEST_F(KeystoresTest, RefusesAKeyThatIsNotTheListsPubkey) {
  const auto entries = ReadKeystoreList(list_);
  ASSERT_TRUE(entries.ok());
  fs::rename(key_3_, key_0_);
  fs::rename(xmss::TreeCachePath(key_3_), xmss::TreeCachePath(key_0_));
  EXPECT_EQ(Error(),
            absl::StrCat("keystores.yaml:2: validator_0.key holds the key ", ToHex((*entries)[1].pubkey.span()),
                         ", the list says ", ToHex((*entries)[0].pubkey.span())));
}

TEST_F(KeystoresTest, RefusesAKeyFileThatIsNotThere) {
  fs::remove(key_3_);
  EXPECT_EQ(Error(), "keystores.yaml:5: cannot open validator_3.key: No such file or directory");
}

TEST_F(KeystoresTest, RefusesAKeyFileThatOthersMayRead) {
  for (const mode_t mode : {0604, 0620, 0644, 0660}) {
    ASSERT_EQ(chmod(key_3_.c_str(), mode), 0);
    EXPECT_EQ(Error().substr(0, 33), "keystores.yaml:5: validator_3.key") << std::oct << mode;
  }
  ASSERT_EQ(chmod(key_3_.c_str(), 0400), 0);
  EXPECT_EQ(Error(), "no error");
}

TEST_F(KeystoresTest, RefusesAFolderForAKeyFile) {
  fs::remove(key_3_);
  fs::create_directory(key_3_);
  EXPECT_EQ(Error().substr(0, 17), "keystores.yaml:5:");
}

TEST_F(KeystoresTest, RefusesADamagedKeyFile) {
  fs::resize_file(key_3_, 100);
  EXPECT_EQ(Error().substr(0, 34), "keystores.yaml:5: validator_3.key:");
}

TEST_F(KeystoresTest, RefusesOneKeyForTwoValidators) {
  const auto entries = ReadKeystoreList(list_);
  Edit(ToHex((*entries)[1].pubkey.span()), ToHex((*entries)[0].pubkey.span()));
  EXPECT_EQ(Error(), absl::StrCat("keystores.yaml:5: pubkey ", ShortHex((*entries)[0].pubkey.span()),
                                  " appears twice, first at keystores.yaml:2"));
}

TEST_F(KeystoresTest, RefusesKeysOfTwoNetworks) {
  const std::string other = absl::StrCat(dir_.path(), "/other");
  SeededRandomSource random(2);
  const std::atomic<bool> cancelled{false};
  std::ostringstream out;
  ASSERT_TRUE(MakeKeys({.output_dir = other, .indices = {7}, .log_lifetime = 16, .active_slots = 1}, random, cancelled,
                       out, false)
                  .ok());
  const auto entries = ReadKeystoreList(other + "/keystores.yaml");
  ASSERT_TRUE(entries.ok());
  std::ofstream(list_, std::ios::app) << "- index: 7\n  pubkey: \"" << ToHex((*entries)[0].pubkey.span())
                                      << "\"\n  keystore: " << (*entries)[0].path << "\n";
  EXPECT_EQ(Error(), absl::StrCat("keystores.yaml:8: ", other,
                                  "/validator_7.key is a key of lifetime 2^16, those before it have 2^8: one process "
                                  "works for one network"));
}

TEST_F(KeystoresTest, AKeySignsOnceItIsPreparedAndMovesOn) {
  const auto keystores = OpenKeystores(list_, NoPassword, 1);
  ASSERT_TRUE(keystores.ok()) << keystores.status();
  SigningKey& key = *keystores->keys[0].key;
  EXPECT_EQ(key.prepared_slots(), SlotRange{});
  EXPECT_EQ(key.Sign(3, FakeRoot(1)).status().code(), absl::StatusCode::kFailedPrecondition);

  ASSERT_TRUE(key.Prepare(3, [](double) {}).ok());
  EXPECT_EQ(key.prepared_slots(), (SlotRange{0, 32}));
  const auto scheme = crypto::SignatureScheme::Create({.xmss_log_lifetime = 8});
  ASSERT_TRUE(scheme.ok());
  const auto verify = [&](uint64_t slot) {
    ASSIGN_OR_RETURN(const auto signature, key.Sign(slot, FakeRoot(1)));
    return scheme->Verify(key.pubkey(), slot, FakeRoot(1), signature);
  };
  EXPECT_TRUE(verify(3).ok()) << verify(3);

  ASSERT_TRUE(key.Prepare(20, [](double) {}).ok());  // in the right tree
  EXPECT_EQ(key.prepared_slots(), (SlotRange{16, 48}));
  EXPECT_TRUE(verify(47).ok()) << verify(47);
  ASSERT_TRUE(key.Prepare(63, [](double) {}).ok());
  EXPECT_EQ(key.prepared_slots(), (SlotRange{32, 64})) << "the last two trees stay";
  EXPECT_TRUE(verify(63).ok()) << verify(63);
  EXPECT_EQ(key.Prepare(64, [](double) {}).code(), absl::StatusCode::kOutOfRange);

  // The next start finds the computed trees on the disk.
  const auto loaded = xmss::LoadSecretKey(scheme->xmss(), key_0_, 63);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->trees_rebuilt) << loaded->rebuild_reason;
}

TEST_F(KeystoresTest, ARunningKeyRefusesAFileThatWasReplaced) {
  const auto keystores = OpenKeystores(list_, NoPassword, 1);
  ASSERT_TRUE(keystores.ok());
  fs::rename(key_3_, key_0_);
  fs::rename(xmss::TreeCachePath(key_3_), xmss::TreeCachePath(key_0_));
  EXPECT_EQ(keystores->keys[0].key->Prepare(0, [](double) {}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(KeystoresTest, AKeyWhoseTreesCannotBeKeptSigns) {
  const auto keystores = OpenKeystores(list_, NoPassword, 1);
  ASSERT_TRUE(keystores.ok());
  SigningKey& key = *keystores->keys[0].key;
  const std::string cache = xmss::TreeCachePath(key_0_);
  fs::remove(cache);
  fs::create_directory(cache);  // a folder, which no file can replace
  for (const uint64_t slot : {3, 20}) {
    const absl::Status status = key.Prepare(slot, [](double) {});
    EXPECT_TRUE(absl::StrContains(status.message(), "it can sign")) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), cache)) << status;
    EXPECT_TRUE(key.Sign(slot, FakeRoot(1)).ok()) << slot;
  }
}

TEST_F(KeystoresTest, ACancelledKeyBuildsNothing) {
  const auto keystores = OpenKeystores(list_, NoPassword, 1);
  ASSERT_TRUE(keystores.ok());
  SigningKey& key = *keystores->keys[0].key;
  ASSERT_TRUE(key.Prepare(0, [](double) {}).ok());
  key.Cancel();
  EXPECT_EQ(key.Prepare(20, [](double) {}).code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(key.Sign(20, FakeRoot(1)).ok()) << "what is prepared goes on";
}

}  // namespace
}  // namespace lean::validator
