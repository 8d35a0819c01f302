// Keys of the devnet tooling in a folder, and the same keys imported into a list with the records of one of them.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_FIXTURE_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_FIXTURE_H_

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/keys_export.h"
#include "validator_client/commands/keys/keys_import.h"
#include "validator_client/commands/keys/keys_list.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystore_folder.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/key_locks.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {

class KeysAdminTest : public ::testing::Test {
 protected:
  // Two keys of the devnet tooling, readable by all users.
  void SetUp() override {
    std::filesystem::create_directories(source_);
    std::ofstream manifest(manifest_);
    manifest << "key_scheme: SIGTopLevelTargetSumLifetime32Dim64Base8\nhash_function: Poseidon2\nencoding: TargetSum\n"
                "num_validators: 2\n\nvalidators:\n";
    for (const uint64_t index : {0, 1}) {
      const xmss::SecretKey key = Key(index);
      const std::string pubkey = PubkeyOf(key);
      manifest << "  - index: " << index << "\n    pubkey_hex: " << pubkey << "\n    privkey_file: validator_" << index
               << "_sk.ssz\n\n";
      Write(SecretFile(index), xmss::EncodeLeanSigSecretKey(key).span());
      Write(absl::StrCat(source_, "/validator_", index, "_pk.ssz"), *ParseHex(pubkey));
    }
  }

  static xmss::SecretKey Key(uint64_t seed) {
    SeededRandomSource random(seed);
    return *xmss::GenerateKey(*xmss::Scheme::Create(8), {0, 64}, random, {});
  }
  static std::string PubkeyOf(const xmss::SecretKey& key) {
    return ToHex(PublicKeyBytesOf(key.scheme(), key.public_key()).span());
  }
  static void Write(const std::string& path, ByteSpan bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  }
  std::string SecretFile(uint64_t index) const { return absl::StrCat(source_, "/validator_", index, "_sk.ssz"); }
  PasswordSource Source() const {
    return [this]() -> absl::StatusOr<const Password*> { return &password_; };
  }
  absl::Status Import(const std::string& source, std::vector<uint64_t> indices = {}) {
    return ImportKeys({.source = source,
                       .keystores = list_,
                       .indices = std::move(indices),
                       .source_password = Source(),
                       .protection = {&password_, kCheapCost}},
                      random_, out_);
  }
  std::string Error(const absl::Status& status) const {
    return absl::StrReplaceAll(status.message(), {{source_ + "/", ""}, {folder_ + "/", ""}});
  }
  absl::Status Verify() {
    out_.str("");
    return VerifyKeys(list_, Source(), {}, out_);
  }

  TemporaryFolder dir_;
  const std::string source_ = absl::StrCat(dir_.path(), "/hash-sig-keys");
  const std::string manifest_ = absl::StrCat(source_, "/validator-keys-manifest.yaml");
  const std::string folder_ = absl::StrCat(dir_.path(), "/keys");
  const std::string list_ = absl::StrCat(folder_, "/keystores.yaml");
  const Password password_ = MakePassword("right");
  SeededRandomSource random_{1};
  std::ostringstream out_;
};

class KeysLeaveTest : public KeysAdminTest {
 protected:
  // Two keys, the first of which has signed in slot 5.
  void SetUp() override {
    KeysAdminTest::SetUp();
    ASSERT_TRUE(Import(source_).ok());
    auto records = SqliteSigningRecords::Open({.path = database_, .create = true});
    ASSERT_TRUE(records.ok()) << records.status();
    const auto reserved = (*records)->Reserve({SigningRequest{Pubkey(0), 5, FakeRoot(9)}});
    ASSERT_TRUE(reserved.ok() && reserved->at(0).ok());
  }
  static PublicKeyBytes Pubkey(uint64_t index) {
    const xmss::SecretKey key = Key(index);
    return PublicKeyBytesOf(key.scheme(), key.public_key());
  }
  absl::Status Delete(std::vector<uint64_t> indices) { return DeleteWith(database_, false, std::move(indices)); }
  absl::Status DeleteWith(const std::string& database, bool never_signed, std::vector<uint64_t> indices) {
    KeysDeleteOptions options;
    options.keystores = list_;
    options.indices = std::move(indices);
    options.records.database = database;
    options.records.never_signed = never_signed;
    options.records_output = exported_;
    return DeleteKeys(options, out_);
  }
  absl::Status Export(std::vector<uint64_t> indices, bool with_records = false) {
    KeysExportOptions options;
    options.keystores = list_;
    options.indices = std::move(indices);
    options.records.database = database_;
    options.output = with_records ? bundle_ : copies_;
    options.with_records = with_records;
    options.source_password = Source();
    options.protection = {&password_, kCheapCost};
    return ExportKeys(options, random_, out_);
  }
  static std::vector<KeyHistory> Histories(const std::string& file) {
    std::ifstream in(file);
    return *ParseInterchange(std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
  }
  size_t KeysLeft() const { return KeystoreFolder::Open(list_)->entries().size(); }

  const std::string database_ = absl::StrCat(folder_, "/signing_records.sqlite");
  const std::string exported_ = absl::StrCat(dir_.path(), "/records.json");
  const std::string copies_ = absl::StrCat(dir_.path(), "/copies");
  const std::string bundle_ = absl::StrCat(dir_.path(), "/keys-with-records.json");
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_COMMANDS_KEYS_KEYS_FIXTURE_H_
