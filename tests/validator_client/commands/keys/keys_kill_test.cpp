// Kills `keys import`, `keys export --with-records` and `keys upgrade`, or cuts their power, at every change to a file.
// Afterwards there are a key and its records or neither, and a repeated command finishes the work.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/process/whole_file.h"
#include "common/secrets/secret_file.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/keymanager/fault_files.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/commands/keys/key_bundle.h"
#include "validator_client/commands/keys/keys_export.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSigned = 9;  // the slot that both keys have signed

class KeysKillTest : public ::testing::TestWithParam<FileFault> {
 protected:
  // Power cuts are simulated, so the files need no real disk, whose syncs take most of the time.
  static void SetUpTestSuite() {
    if (fs::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", /*overwrite=*/1);
  }

  // Two keys and their records.
  void SetUp() override {
    std::ostringstream out;
    const std::atomic<bool> cancelled{false};
    ASSERT_TRUE(MakeKeys({.output_dir = made_ + "/keys",
                          .indices = {0, 1},
                          .log_lifetime = 8,
                          .active_slots = 64,
                          .protection = {&password_, kCheapCost}},
                         random_, cancelled, out, false)
                    .ok());
    const auto entries = ReadKeystoreList(made_ + "/keys/keystores.yaml");
    ASSERT_TRUE(entries.ok()) << entries.status();
    auto records = SqliteSigningRecords::Open({.path = made_ + "/records.sqlite", .create = true});
    ASSERT_TRUE(records.ok()) << records.status();
    for (const KeystoreEntry& entry : *entries) {
      pubkeys_.push_back(entry.pubkey);
      ASSERT_TRUE((*records)->Reserve({SigningRequest{entry.pubkey, kSigned, Root()}}).ok());
    }
  }

  // A new folder with the keys and their records.
  void Copy(const std::string& to) const { fs::copy(made_, to, fs::copy_options::recursive); }

  // True: it came to its end.
  bool Run(const std::string& command, const std::string& folder, const std::string& file, FileFault fault,
           uint64_t at) const {
    const std::string victim = fs::read_symlink("/proc/self/exe").parent_path() / "keys_victim";
    const std::vector<std::string> arguments = {victim,        command,
                                                "--keystores", folder + "/keys/keystores.yaml",
                                                "--records",   folder + "/records.sqlite",
                                                "--file",      file,
                                                "--folder",    folder + "/keys",
                                                "--fault",     absl::StrCat(static_cast<int>(fault)),
                                                "--at",        absl::StrCat(at),
                                                "--seed",      absl::StrCat(at + 1)};
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(3);
      execv(victim.c_str(), argv.data());
      _exit(3);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0) << status;
    return WIFEXITED(status);
  }

  PasswordSource Source() const {
    return [this]() -> absl::StatusOr<const Password*> { return &password_; };
  }

  // The number of keys that a start would have, which all open and have their records.
  size_t CheckKeys(const std::string& folder) const {
    const std::string list = folder + "/keys/keystores.yaml";
    if (!fs::exists(list)) return 0;
    const auto keystores = OpenKeystores(list, Source(), 1);
    EXPECT_TRUE(keystores.ok()) << keystores.status();
    if (!keystores.ok()) return 0;
    const auto records = SqliteSigningRecords::Open({.path = folder + "/records.sqlite"});
    EXPECT_TRUE(records.ok()) << records.status();
    if (!records.ok()) return 0;
    for (const ValidatorKey& key : keystores->keys) EXPECT_EQ(*(*records)->HighestSlot(key.key->pubkey()), kSigned);
    EXPECT_TRUE(CheckRecordsReach(keystores->states, **records, "the records").ok());
    return keystores->keys.size();
  }

  // Hurts the command at one call after the other, until it comes to its end unhurt, and repeats it each time.
  void HurtEverywhere(const std::string& command, const std::function<void(const std::string& folder)>& prepare,
                      const std::function<std::string(const std::string& folder)>& file,
                      const std::function<void(const std::string& folder, bool finished)>& check) {
    uint64_t at = 0;
    for (bool through = false; !through; ++at) {
      SCOPED_TRACE(absl::StrCat(command, " call ", at));
      TemporaryFolder dir;
      const std::string folder = dir.path() + "/machine";
      prepare(folder);
      through = Run(command, folder, file(folder), GetParam(), at);
      check(folder, through);
      if (!through) {
        EXPECT_TRUE(Run(command, folder, file(folder), FileFault::kNone, 0));
        check(folder, true);
      }
      if (HasFailure()) return;
    }
    std::cout << command << " calls=" << at - 1 << std::endl;
    EXPECT_GT(at, 5);
  }

  TemporaryFolder dir_;
  const std::string made_ = dir_.path() + "/made";
  const Password password_ = MakePassword("right");
  SystemRandomSource random_;
  std::vector<PublicKeyBytes> pubkeys_;
};

TEST_P(KeysKillTest, AnImportAddsAKeyOnlyWithItsRecords) {
  const std::string bundle = dir_.path() + "/bundle.json";
  KeysExportOptions options;
  options.keystores = made_ + "/keys/keystores.yaml";
  options.indices = {0, 1};
  options.records.database = made_ + "/records.sqlite";
  options.output = bundle;
  options.with_records = true;
  options.source_password = Source();
  options.protection = {&password_, kCheapCost};
  std::ostringstream out;
  ASSERT_TRUE(ExportKeys(options, random_, out).ok());
  HurtEverywhere(
      "import",
      [](const std::string& folder) {
        fs::create_directories(folder + "/keys");
        fs::permissions(folder + "/keys", fs::perms::owner_all);
      },
      [&bundle](const std::string&) { return bundle; },
      [this](const std::string& folder, bool finished) {
        const size_t keys = CheckKeys(folder);
        EXPECT_TRUE(!finished || keys == 2) << keys;
      });
}

TEST_P(KeysKillTest, AnExportIsWholeOrNotThere) {
  const auto file = [](const std::string& folder) { return folder + "/keys/bundle.json"; };
  HurtEverywhere(
      "export",
      [this, &file](const std::string& folder) {
        Copy(folder);
        fs::remove(file(folder));
      },
      file,
      [this, &file](const std::string& folder, bool finished) {
        EXPECT_EQ(CheckKeys(folder), 2);
        EXPECT_TRUE(!finished || fs::exists(file(folder)));
        if (!fs::exists(file(folder))) return;
        const auto bundle = ParseKeyBundle(ReadTextFile(file(folder), kMaxBundleBytes).value_or(""));
        ASSERT_TRUE(bundle.ok()) << bundle.status();
        ASSERT_EQ(bundle->histories.size(), 2);
        for (const KeyHistory& history : bundle->histories) EXPECT_EQ(history.leaves.at(0).slot, kSigned);
        fs::remove(file(folder));
      });
}

TEST_P(KeysKillTest, AnUpgradeLeavesTheOldFileOrTheNewOne) {
  // The vector of version 4.
  const std::string vector =
      ReadTextFile(std::string(LEAN_SOURCE_DIR) + "/tests/vectors/keystores/version_4.json", 1 << 20).value_or("");
  const nlohmann::json read = nlohmann::json::parse(vector);
  const std::string keystore = read.at("keystore").dump();
  const auto pubkey = ParseFixedHex<PublicKeyBytes>(read.at("keystore").at("pubkey").get<std::string>());
  const Password password = MakePassword(read.at("password").get<std::string>());
  const PasswordSource source = [&password]() -> absl::StatusOr<const Password*> { return &password; };
  HurtEverywhere(
      "upgrade",
      [&](const std::string& folder) {
        fs::create_directories(folder + "/keys");
        ASSERT_TRUE(WritePrivateFile(folder + "/keys/validator_0.json", BytesOfText(keystore), IfExists::kFail).ok());
        std::ofstream(folder + "/keys/keystores.yaml") << FormatKeystoreList({{0, *pubkey, "validator_0.json", ""}});
      },
      [&](const std::string&) { return read.at("password").get<std::string>(); },
      [&](const std::string& folder, bool finished) {
        const std::string path = folder + "/keys/validator_0.json";
        const auto whole = ReadWholeKey(path, source, /*may_be_public=*/false, {});
        ASSERT_TRUE(whole.ok()) << whole.status();
        EXPECT_EQ(PublicKeyBytesOf(whole->key.scheme(), whole->key.public_key()), *pubkey);
        EXPECT_TRUE(!finished || SummarizeKeyFile(path)->form == std::string("encrypted-v5"));
      });
}

INSTANTIATE_TEST_SUITE_P(Faults, KeysKillTest, ::testing::Values(FileFault::kKillBefore, FileFault::kPowerCut));

}  // namespace
}  // namespace lean::validator
