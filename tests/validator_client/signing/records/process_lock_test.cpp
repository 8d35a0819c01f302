#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "validator_client/signing/records/key_locks.h"

namespace lean::validator {
namespace {

// A process that holds a lock until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& file) {
    int ready[2];
    if (pipe(ready) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      const auto lock = ProcessLock::Acquire(file, "the folder", kTwoSigners);
      const char held = lock.ok() ? 'y' : 'n';
      if (write(ready[1], &held, 1) != 1) _exit(1);
      while (true) pause();
    }
    close(ready[1]);
    char held = 'n';
    held_ = read(ready[0], &held, 1) == 1 && held == 'y';
    close(ready[0]);
  }
  ~Holder() { Kill(); }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }
  bool held() const { return held_; }

 private:
  pid_t pid_ = -1;
  bool held_ = false;
};

TEST(ProcessLock, NamesItsHolderAndIsFreeOnceThatIsKilled) {
  TemporaryFolder folder;
  const std::string file = folder.path() + "/lock";
  Holder holder(file);
  ASSERT_TRUE(holder.held());
  const pid_t pid = holder.pid();
  const auto refused = ProcessLock::Acquire(file, "the folder X", kTwoSigners);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_EQ(refused.status().message(),
            absl::StrCat("the folder X is in use by process ", pid,
                         ": two clients with the same keys would sign twice; stop it first"));
  holder.Kill();
  const auto lock = ProcessLock::Acquire(file, "the folder X", kTwoSigners);
  EXPECT_TRUE(lock.ok()) << lock.status();
  std::ifstream text(file);
  pid_t written = 0;
  text >> written;
  EXPECT_EQ(written, getpid()) << "not the old holder's";
}

TEST(ProcessLock, EndsWithItsObject) {
  TemporaryFolder folder;
  const std::string file = folder.path() + "/lock";
  {
    auto lock = ProcessLock::Acquire(file, "it", kTwoSigners);
    ASSERT_TRUE(lock.ok());
    ProcessLock moved = *std::move(lock);
    EXPECT_FALSE(ProcessLock::Acquire(file, "it", kTwoSigners).ok());
  }
  EXPECT_TRUE(ProcessLock::Acquire(file, "it", kTwoSigners).ok());
}

TEST(ProcessLock, FoldersAreLockedByWhateverPath) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() + "/keys");
  std::filesystem::create_directory_symlink(folder.path() + "/keys", folder.path() + "/link");
  const auto locks = LockKeyFolders({folder.path() + "/keys", folder.path() + "/link"});
  ASSERT_TRUE(locks.ok()) << locks.status();
  EXPECT_EQ(locks->size(), 1);
  const auto second = LockKeyFolders({folder.path() + "/link"});
  EXPECT_TRUE(absl::StrContains(second.status().message(), absl::StrCat("/keys is in use by process ", getpid())))
      << second.status();
  EXPECT_TRUE(absl::IsNotFound(LockKeyFolders({folder.path() + "/none"}).status()));
}

TEST(ProcessLock, AGarbledFileLocksAllTheSame) {
  TemporaryFolder folder;
  const std::string file = folder.path() + "/lock";
  std::ofstream(file) << "garbage";
  const auto lock = ProcessLock::Acquire(file, "it", kTwoSigners);
  ASSERT_TRUE(lock.ok());
  std::ofstream(file) << "garbage";
  EXPECT_TRUE(
      absl::StrContains(ProcessLock::Acquire(file, "it", kTwoSigners).status().message(), "in use by another process"));
}

TEST(ProcessLock, AHolderMayNameAnotherWay) {
  TemporaryFolder folder;
  const std::string file = folder.path() + "/lock";
  absl::StatusOr<ProcessLock> lock = ProcessLock::Acquire(file, "the folder X", "two would be wrong");
  ASSERT_TRUE(lock.ok()) << lock.status();
  ASSERT_TRUE(lock->Announce("ask it at 127.0.0.1:1").ok());
  const std::string refusal(ProcessLock::Acquire(file, "the folder X", "two would be wrong").status().message());
  EXPECT_TRUE(absl::StrContains(refusal, "; stop it first, or ask it at 127.0.0.1:1")) << refusal;
}

}  // namespace
}  // namespace lean::validator
