// Kills a process that keeps a chain at any moment, again and again on the same folder, and compares what it said to be
// finalized with what the folder holds afterwards.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "beacon/storage/verify.h"
#include "spdlog/sinks/null_sink.h"
#include "tests/beacon/storage/faults/victim_message.h"
#include "tests/beacon/storage/stored_chain.h"
#include "tests/common/config/temporary_folder.h"

extern char** environ;

namespace lean::beacon {
namespace {

constexpr char kVictim[] = LEAN_BIN_DIR "/storage_victim";
constexpr size_t kValidators = 4;  // the victim's
// A new folder now and then: opening an old one, with its many files, is another thing than opening a new one.
constexpr int kLivesOfAFolder = 40;

class KillTest : public testing::Test {
 protected:
  void LiveAndDie(int lives) {
    std::mt19937_64 random(11);
    size_t told = 0;
    for (int life = 0; life < lives && !HasFailure(); ++life) {
      if (life % kLivesOfAFolder == 0) NewFolder();
      Live(static_cast<uint64_t>(life), std::chrono::microseconds(random() % 150'000));
      CheckFolder();
      if (life % kLivesOfAFolder == kLivesOfAFolder - 1 || life == lives - 1) {
        told += finalized_.size();
        CheckEverything();
      }
    }
    EXPECT_GT(opened_, lives / 3) << "most were killed before they began";
    std::cout << "killed " << lives << ", of which " << opened_ << " had restored their chain; " << told
              << " finalized slots told, none lost; " << lost_
              << " restarts had an older finalized checkpoint than the last one told" << std::endl;
  }

 private:
  // Lets a victim live for a while on the folder, and takes in what it says.
  void Live(uint64_t seed, std::chrono::microseconds time) {
    int pipe_ends[2];
    ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    std::vector<std::string> texts = {kVictim, folder_->path(), std::to_string(seed)};
    std::vector<char*> argv;
    for (std::string& text : texts) argv.push_back(text.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, kVictim, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    ASSERT_EQ(error, 0) << "cannot start " << kVictim;
    std::jthread killer;
    VictimMessage message;
    // The time counts from the start or, every other life, from when the chain is open.
    if (seed % 2 == 0) killer = KillLater(pid, time);
    while (read(pipe_ends[0], &message, sizeof(message)) == sizeof(message)) {
      Take(message);
      if (!killer.joinable()) killer = KillLater(pid, time);
    }
    close(pipe_ends[0]);
    if (killer.joinable()) killer.join();
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the victim ended by itself: " << status;
  }

  static std::jthread KillLater(pid_t pid, std::chrono::microseconds time) {
    return std::jthread([pid, time] {
      std::this_thread::sleep_for(time);
      kill(pid, SIGKILL);
    });
  }

  void Take(const VictimMessage& message) {
    if (message.kind == VictimMessage::Kind::kOrphan) {
      orphans_.insert(message.checkpoint.root);
      return;
    }
    if (message.kind == VictimMessage::Kind::kOpened) ++opened_;
    const auto [known, first] = finalized_.try_emplace(message.checkpoint.slot, message.checkpoint.root);
    EXPECT_EQ(known->second, message.checkpoint.root) << "two blocks are finalized at slot " << message.checkpoint.slot;
  }

  // The folder holds what was finalized, and every orphan is known.
  void CheckFolder() {
    auto chain = StoredChain::Open(genesis_, {.folder = folder_->path()});
    ASSERT_TRUE(chain.ok()) << chain.status();
    for (const auto& [slot, root] : finalized_) {
      ASSERT_EQ((*chain)->chain().CanonicalRoot(slot), root) << "slot " << slot;
    }
    for (const Root& orphan : orphans_) EXPECT_TRUE((*chain)->chain().SlotOf(orphan).has_value());
    if (!finalized_.empty()) {
      // A checkpoint is finalized by a block that may have been the one under way.
      lost_ += (*chain)->chain().finalized().slot < finalized_.rbegin()->first ? 1 : 0;
    }
  }

  void CheckEverything() {
    auto database = ChainDatabase::Open({.path = folder_->path()}, /*read_only=*/true);
    if (absl::IsNotFound(database.status())) return;  // no victim came to write anything
    ASSERT_TRUE(database.ok()) << database.status();
    spdlog::logger log("", std::make_shared<spdlog::sinks::null_sink_mt>());
    const VerifyReport report = VerifyDatabase(**database, log, [](uint64_t) {});
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
    EXPECT_TRUE(report.restart.ok()) << report.restart;
  }

  void NewFolder() {
    folder_.emplace();
    finalized_.clear();
    orphans_.clear();
  }

  const Genesis genesis_ = StorageTestGenesis(kValidators);
  std::optional<TemporaryFolder> folder_;
  std::map<uint64_t, Root> finalized_;  // as told
  std::set<Root> orphans_;              // as told
  int opened_ = 0;
  int lost_ = 0;  // restarts whose finalized checkpoint was older than the last one told
};

TEST_F(KillTest, NothingFinalizedIsLostWhenItIsKilledAtAnyMoment) { LiveAndDie(12); }

using KillLongTest = KillTest;
TEST_F(KillLongTest, NothingFinalizedIsLostWhenItIsKilledAtAnyMoment) { LiveAndDie(400); }

}  // namespace
}  // namespace lean::beacon
