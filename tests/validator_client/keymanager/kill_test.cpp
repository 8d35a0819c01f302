// Kills a client or cuts its power at every change to a file during the deletion of a key, while the client signs.
// Afterwards there is either the key with its records, or a complete file with the records and no key in the list.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/process/whole_file.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/keymanager/fault_files.h"
#include "tests/validator_client/signing/records/victims/victim_watcher.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keys/keystore/keystore_list.h"
#include "validator_client/keys/keystores.h"
#include "validator_client/signing/records/interchange.h"
#include "validator_client/signing/records/records_database.h"
#include "validator_client/signing/records/sqlite_signing_records.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kGone = 1;  // the validator whose key is deleted

class KeymanagerKillTest : public ::testing::TestWithParam<FileFault> {
 protected:
  static void SetUpTestSuite() {
    made_ = new TemporaryFolder();
    ASSERT_TRUE(MakeTestKeystores(made_->path() + "/keys", {0, kGone}).ok());
    const auto entries = ReadKeystoreList(made_->path() + "/keys/keystores.yaml");
    ASSERT_TRUE(entries.ok()) << entries.status();
    for (const KeystoreEntry& entry : *entries) {
      if (entry.index == kGone) pubkey_ = entry.pubkey;
    }
  }
  static void TearDownTestSuite() { delete made_; }

  static TemporaryFolder* made_;
  static PublicKeyBytes pubkey_;
};
TemporaryFolder* KeymanagerKillTest::made_ = nullptr;
PublicKeyBytes KeymanagerKillTest::pubkey_;

// Runs clients one after the other on the same folder.
class Lives {
 public:
  explicit Lives(const std::string& keys) { fs::copy(keys, keys_, fs::copy_options::recursive); }

  VictimEnd Next(FileFault fault, uint64_t at, uint64_t seed) {
    return watcher_.Watch({"--keystores", list(), "--records", records(), "--first-slot",
                           absl::StrCat(watcher_.highest_released_slot() + 1), "--fault",
                           absl::StrCat(static_cast<int>(fault)), "--at", absl::StrCat(at), "--seed",
                           absl::StrCat(seed)});
  }

  std::string list() const { return keys_ + "/keystores.yaml"; }
  std::string records() const { return folder_.path() + "/records.sqlite"; }
  std::string key_file() const { return absl::StrCat(keys_, "/validator_", kGone, ".key"); }
  const VictimWatcher& watcher() const { return watcher_; }

  // The roots of the key's leaves in the files that deletions wrote, which are all complete.
  std::map<uint64_t, Root> Exported(const PublicKeyBytes& pubkey) const {
    std::map<uint64_t, Root> roots;
    for (const fs::directory_entry& entry : fs::directory_iterator(keys_)) {
      if (!absl::EndsWith(entry.path().string(), ".records.json")) continue;
      const auto text = ReadTextFile(entry.path().string(), kMaxInterchangeBytes);
      const auto histories = ParseInterchange(text.value_or(""));
      EXPECT_TRUE(histories.ok()) << entry.path() << ": " << histories.status();
      if (!histories.ok()) continue;
      for (const KeyHistory& history : *histories) {
        if (history.pubkey != pubkey) continue;
        for (const SignedLeaf& leaf : history.leaves) roots[leaf.slot] = leaf.root.value_or(Root());
      }
    }
    return roots;
  }

 private:
  TemporaryFolder folder_;
  const std::string keys_ = folder_.path() + "/keys";
  VictimWatcher watcher_{{}, "keymanager_victim"};
};

// The last signed leaves of the key, as far as the records go back.
std::map<uint64_t, Root> Released(const VictimWatcher& watcher) {
  std::map<uint64_t, Root> released;
  for (const auto& [leaf, root] : watcher.roots()) {
    if (leaf.first == kGone) released[leaf.second] = root;
  }
  while (released.size() > 1 && released.begin()->first + kKeptSlots <= released.rbegin()->first) {
    released.erase(released.begin());
  }
  return released;
}

// True if the next start would have the key.
bool CheckLeft(const Lives& lives, const PublicKeyBytes& pubkey, const VictimEnd& end) {
  const auto keystores = OpenKeystores(lives.list(), NoPassword, 1);
  EXPECT_TRUE(keystores.ok()) << keystores.status();
  if (!keystores.ok()) return false;
  const bool listed = keystores->keys.size() == 2;
  const std::map<uint64_t, Root> released = Released(lives.watcher());
  const std::map<uint64_t, Root> exported = lives.Exported(pubkey);
  EXPECT_FALSE(released.empty());
  if (listed) {
    EXPECT_FALSE(end.deleted) << "the answer came before the deed";
  } else {
    for (const auto& [slot, root] : released) {
      EXPECT_TRUE(exported.contains(slot) && exported.at(slot) == root) << "slot " << slot;
    }
  }
  EXPECT_FALSE(end.deleted && fs::exists(lives.key_file()));
  const auto records = SqliteSigningRecords::Open({.path = lives.records()});
  EXPECT_TRUE(records.ok()) << records.status();
  if (records.ok() && !released.empty()) {
    EXPECT_GE((*records)->HighestSlot(pubkey).value().value_or(0), released.rbegin()->first);
  }
  return listed;
}

TEST_P(KeymanagerKillTest, ADeletionLeavesTheKeyOrItsRecords) {
  uint64_t at = 0;
  uint64_t kept = 0;
  uint64_t gone = 0;
  for (bool through = false; !through; ++at) {
    Lives lives(made_->path() + "/keys");
    const VictimEnd hurt = lives.Next(GetParam(), at, at + 1);
    ++(CheckLeft(lives, pubkey_, hurt) ? kept : gone);
    // After a restart it deletes the key if it still exists.
    const VictimEnd after = lives.Next(FileFault::kNone, 0, at + 1000);
    EXPECT_TRUE(after.done) << "call " << at;
    EXPECT_EQ(after.failed, 0) << "call " << at;
    EXPECT_FALSE(CheckLeft(lives, pubkey_, after)) << "call " << at;
    EXPECT_EQ(lives.watcher().conflicts(), 0) << "call " << at;
    through = hurt.done;
    EXPECT_TRUE(!through || hurt.operations <= at) << "call " << at << " did not end it";
  }
  std::cout << "calls=" << at - 1 << " kept=" << kept << " gone=" << gone << std::endl;
  EXPECT_GT(kept, 5);
  EXPECT_GT(gone, 3);
}

INSTANTIATE_TEST_SUITE_P(Faults, KeymanagerKillTest,
                         ::testing::Values(FileFault::kKillBefore, FileFault::kKillAfter, FileFault::kPowerCut));

}  // namespace
}  // namespace lean::validator
