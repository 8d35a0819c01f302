#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/commands/keys/keys_fixture.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

TEST_F(KeysAdminTest, ImportsTheDevnetToolingsFolder) {
  ASSERT_TRUE(Import(source_).ok());
  const auto entries = ReadKeystoreList(list_);
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 2);
  for (const KeystoreEntry& entry : *entries) {
    EXPECT_EQ(ToHex(entry.pubkey.span()), PubkeyOf(Key(entry.index)));
    EXPECT_TRUE(SummarizeKeyFile(entry.path)->encrypted) << "and private, or it could not be read";
  }
  EXPECT_TRUE(absl::StrContains(out_.str(), "import their signing records")) << out_.str();
  EXPECT_TRUE(Verify().ok()) << out_.str();
}

TEST_F(KeysAdminTest, AnImportCanBeRepeated) {
  ASSERT_TRUE(Import(manifest_, {1}).ok());
  ASSERT_TRUE(Import(source_).ok());
  EXPECT_TRUE(absl::StrContains(out_.str(), "result=already_there")) << out_.str();
  EXPECT_EQ(ReadKeystoreList(list_)->size(), 2);
}

TEST_F(KeysAdminTest, ImportsOneFileForOneValidator) {
  ASSERT_TRUE(Import(SecretFile(1), {7}).ok());
  EXPECT_EQ(ReadKeystoreList(list_)->at(0).index, 7);
  EXPECT_EQ(Import(SecretFile(1)).code(), absl::StatusCode::kInvalidArgument) << "whose is it?";
  EXPECT_EQ(Import(SecretFile(1), {8}).code(), absl::StatusCode::kAlreadyExists) << "one key, one validator";
  EXPECT_EQ(Import(SecretFile(0), {7}).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(KeysAdminTest, ImportsOurOwnEncryptedFiles) {
  ASSERT_TRUE(Import(source_).ok());
  const std::string first = ReadKeystoreList(list_)->at(0).path;
  const std::string other = absl::StrCat(dir_.path(), "/other/keystores.yaml");
  for (const bool with_trees : {true, false}) {
    if (!with_trees) fs::remove(xmss::TreeCachePath(first));
    fs::remove_all(absl::StrCat(dir_.path(), "/other"));
    ASSERT_TRUE(ImportKeys({.source = first,
                            .keystores = other,
                            .indices = {0},
                            .source_password = Source(),
                            .protection = {&password_, kCheapCost}},
                           random_, out_)
                    .ok());
    EXPECT_TRUE(VerifyKeys(other, Source(), {}, out_).ok()) << out_.str();
  }
}

TEST_F(KeysAdminTest, RefusesAKeyThatIsNotTheManifests) {
  fs::copy_file(SecretFile(0), SecretFile(1), fs::copy_options::overwrite_existing);
  EXPECT_EQ(Error(Import(source_, {1})), absl::StrCat("validator_1_sk.ssz holds the key ", PubkeyOf(Key(0)),
                                                      ", the manifest says ", PubkeyOf(Key(1))));
  EXPECT_FALSE(fs::exists(list_));
}

TEST_F(KeysAdminTest, RefusesAKeyThatIsNotItsPublicFiles) {
  Write(source_ + "/validator_1_pk.ssz", *ParseHex(PubkeyOf(Key(0))));
  EXPECT_EQ(Error(Import(source_, {1})), absl::StrCat("validator_1_pk.ssz is not the public key of validator_1_sk.ssz, "
                                                      "which is ",
                                                      PubkeyOf(Key(1))));
  fs::remove(source_ + "/validator_1_pk.ssz");
  EXPECT_TRUE(Import(source_, {1}).ok());
}

TEST_F(KeysAdminTest, RefusesASeedThatIsNotTheTrees) {
  FlipByte(SecretFile(0), 5);  // a byte of the seed; the trees are unchanged
  EXPECT_EQ(Error(Import(source_, {0})),
            "validator_0_sk.ssz: its public key is not that of its secret: the trees are of another seed");
}

TEST_F(KeysAdminTest, RefusesADamagedSecretFile) {
  const auto size = static_cast<int64_t>(fs::file_size(SecretFile(0)));
  int harmless = 0;
  for (int64_t position = 0; position < size; position += 61) {
    FlipByte(SecretFile(0), position);
    if (Import(source_, {0}).ok()) {
      // The random node beside the root is not used for anything.
      ++harmless;
      const auto key = ReadWholeKey(ReadKeystoreList(list_)->at(0).path, Source(), false, {});
      ASSERT_TRUE(key.ok()) << key.status();
      EXPECT_EQ(key->key.Sign(31, FakeRoot(1)).value(), Key(0).Sign(31, FakeRoot(1)).value()) << position;
      fs::remove_all(folder_);
    }
    FlipByte(SecretFile(0), position);
  }
  EXPECT_LE(harmless, 1);
  fs::resize_file(SecretFile(0), static_cast<uintmax_t>(size - 1));
  EXPECT_TRUE(absl::StartsWith(Error(Import(source_, {0})), "validator_0_sk.ssz: "));
  fs::remove(SecretFile(0));
  EXPECT_EQ(Import(source_, {0}).code(), absl::StatusCode::kNotFound);
}

TEST_F(KeysAdminTest, ManifestErrorsNameTheLine) {
  EXPECT_EQ(Error(Import(source_, {2})), "validator-keys-manifest.yaml has no key of validator 2");
  const auto error = [&](const std::string& text) {
    std::ofstream(manifest_, std::ios::trunc) << text;
    return Error(Import(source_));
  };
  EXPECT_TRUE(absl::StrContains(error("a: 1\n"), "validators"));
  const std::string entry =
      absl::StrCat("  - index: 0\n    pubkey_hex: ", PubkeyOf(Key(0)), "\n    privkey_file: validator_0_sk.ssz\n");
  EXPECT_EQ(error(absl::StrCat("validators:\n", entry, "    enabled: false\n")),
            "validator-keys-manifest.yaml:5: validators[0].enabled: unknown field: known are index, pubkey_hex, "
            "privkey_file");
  EXPECT_EQ(error(absl::StrCat("num_validators: 2\nvalidators:\n", entry)),
            "validator-keys-manifest.yaml:1: num_validators: is 2, but the list has 1 validators: make them agree");
  for (const char* text : {"validators: 1\n", "validators: []\n", "validators:\n  - index: x\n",
                           "validators:\n  - index: 0\n    pubkey_hex: 0x12\n",
                           "validators:\n  - index: 0\n    attester_key_pubkey_hex: 0x12\n", ": :", ""}) {
    EXPECT_TRUE(absl::StartsWith(error(text), "validator-keys-manifest.yaml:")) << error(text);
  }
}

TEST_F(KeysAdminTest, OtherFieldsOfAManifestMakeOneWarning) {
  std::ofstream(manifest_, std::ios::app) << "color: blue\nshape: round\n";
  ASSERT_TRUE(Import(source_).ok());
  EXPECT_TRUE(absl::StrContains(out_.str(), "color: unknown field, not used, nor is shape\n")) << out_.str();
}

TEST_F(KeysAdminTest, ListShowsEachKeyWithoutAPassword) {
  ASSERT_TRUE(Import(source_).ok());
  out_.str("");
  ASSERT_TRUE(ListKeys(list_, out_).ok());
  EXPECT_EQ(absl::StrReplaceAll(out_.str(), {{folder_ + "/", ""}}),
            absl::StrCat("index=0 pubkey=", PubkeyOf(Key(0)),
                         " lifetime=2^8 first_slot=0 last_slot=63 form=encrypted-v5 file=validator_0.json\n"
                         "index=1 pubkey=",
                         PubkeyOf(Key(1)),
                         " lifetime=2^8 first_slot=0 last_slot=63 form=encrypted-v5 file=validator_1.json\n"));
  fs::remove(folder_ + "/validator_0.json");
  out_.str("");
  EXPECT_EQ(Error(ListKeys(list_, out_)), "1 of the 2 keys in keystores.yaml cannot be used");
  EXPECT_TRUE(absl::StrContains(out_.str(), "error=\"cannot open ")) << out_.str();
}

TEST_F(KeysAdminTest, VerifyFindsWhatIsWrongAndGoesOn) {
  ASSERT_TRUE(Import(source_).ok());
  fs::remove(folder_ + "/validator_1.json.trees");  // is rebuilt
  EXPECT_TRUE(Verify().ok()) << out_.str();
  fs::copy_file(folder_ + "/validator_1.json", folder_ + "/validator_0.json", fs::copy_options::overwrite_existing);
  EXPECT_EQ(Error(Verify()), "1 of the 2 keys in keystores.yaml are not good");
  EXPECT_TRUE(absl::StrContains(out_.str(), "validator_0.json holds another key than the list says")) << out_.str();
  EXPECT_TRUE(absl::StrContains(out_.str(), "index=1")) << out_.str();
}

TEST_F(KeysLeaveTest, DeleteWritesTheRecordsThenRemovesTheKey) {
  ASSERT_TRUE(Delete({0}).ok());
  const std::vector<KeyHistory> histories = Histories(exported_);
  ASSERT_EQ(histories.size(), 1);
  EXPECT_EQ(histories[0].pubkey, Pubkey(0));
  EXPECT_EQ(histories[0].leaves, (std::vector<SignedLeaf>{{5, FakeRoot(9)}}));
  EXPECT_EQ(KeysLeft(), 1);
  EXPECT_FALSE(fs::exists(folder_ + "/validator_0.json"));
  struct stat info {};
  ASSERT_EQ(stat(exported_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(KeysLeaveTest, NothingIsDeletedWithoutItsRecords) {
  std::ofstream(exported_) << "precious";
  EXPECT_EQ(Delete({0}).code(), absl::StatusCode::kAlreadyExists);
  fs::remove(exported_);
  EXPECT_EQ(Delete({0, 2}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(DeleteWith(dir_.path() + "/none.sqlite", false, {0}).code(), absl::StatusCode::kNotFound);
  std::ofstream(dir_.path() + "/bad.sqlite") << std::string(4096, 'x');
  ASSERT_EQ(chmod((dir_.path() + "/bad.sqlite").c_str(), 0600), 0);
  EXPECT_FALSE(DeleteWith(dir_.path() + "/bad.sqlite", true, {0}).ok());
  EXPECT_EQ(KeysLeft(), 2);
  EXPECT_FALSE(fs::exists(exported_));
  EXPECT_TRUE(DeleteWith(dir_.path() + "/none.sqlite", true, {0}).ok());
  EXPECT_TRUE(Histories(exported_).empty());
}

TEST_F(KeysLeaveTest, KeysInUseStay) {
  {
    const auto running = LockKeyFolders({folder_});
    ASSERT_TRUE(running.ok());
    EXPECT_EQ(Delete({0}).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(Export({0}).code(), absl::StatusCode::kFailedPrecondition);
  }
  {
    const auto running = SqliteSigningRecords::Open({.path = database_});
    ASSERT_TRUE(running.ok());
    EXPECT_EQ(Delete({0}).code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(KeysLeft(), 2);
  EXPECT_TRUE(Delete({0}).ok());
}

TEST_F(KeysLeaveTest, NoKeyComesToAListInUse) {
  const auto running = LockKeyFolders({folder_});
  ASSERT_TRUE(running.ok());
  const absl::Status status = Import(SecretFile(1), {7});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("process ", getpid()))) << status;
  EXPECT_EQ(KeysLeft(), 2);
}

TEST_F(KeysLeaveTest, AClientOpensWhatIsThereOnceItHasTheLocks) {
  KeyLocks locks(dir_.path());
  const auto in_the_meantime = [this] { return Delete({0}).code(); };
  absl::StatusCode deleting = absl::StatusCode::kOk;
  bool asked = false;
  CapturedLog log;
  LockedKeystoresOptions options;
  options.list_file = list_;
  const PasswordSource source = [&]() -> absl::StatusOr<const Password*> {
    asked = true;
    deleting = in_the_meantime();
    return &password_;
  };
  {
    const auto running = LockKeyFolders({folder_});
    ASSERT_TRUE(running.ok());
    EXPECT_EQ(OpenLockedKeystores(options, source, locks, *log.logger()).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_FALSE(asked);
  }
  const auto opened = OpenLockedKeystores(options, source, locks, *log.logger());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->keystores.keys.size(), 2);
  EXPECT_EQ(deleting, absl::StatusCode::kFailedPrecondition) << "while the password is typed";
}

TEST_F(KeysLeaveTest, ExportCopiesKeysAndTheirRecords) {
  ASSERT_TRUE(Export({1, 0}).ok());
  EXPECT_EQ(KeysLeft(), 2) << "they stay";
  EXPECT_EQ(Histories(copies_ + "/records.json").size(), 1);
  EXPECT_TRUE(VerifyKeys(copies_ + "/keystores.yaml", Source(), {}, out_).ok()) << out_.str();
  const auto entries = ReadKeystoreList(copies_ + "/keystores.yaml");
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_EQ(entries->at(1).pubkey, Pubkey(0));
  EXPECT_EQ(Export({0}).code(), absl::StatusCode::kAlreadyExists) << "never over an earlier one";
}

TEST_F(KeysAdminTest, VerifyBuildsNothingOnceCancelled) {
  ASSERT_TRUE(Import(source_).ok());
  fs::remove(folder_ + "/validator_1.json.trees");
  EXPECT_EQ(VerifyKeys(list_, Source(), {.threads = 1, .progress = [](double) { return false; }}, out_).code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace lean::validator
