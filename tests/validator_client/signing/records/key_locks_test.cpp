#include "validator_client/signing/records/key_locks.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/signing/records/records_test_support.h"

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

class KeyLocksTest : public ::testing::Test {
 protected:
  // Another process holds the key of this file until `then` returns, and is killed.
  void WithHolder(const std::string& file, const std::function<void(pid_t holder)>& then) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      KeyLocks locks(scope());
      const char held = locks.Add(TestPubkey(1), file).ok() ? 'y' : 'n';
      if (write(ready[1], &held, 1) != 1) _exit(1);
      while (true) pause();
    }
    close(ready[1]);
    char held = 'n';
    EXPECT_EQ(read(ready[0], &held, 1), 1);
    close(ready[0]);
    EXPECT_EQ(held, 'y');
    then(pid);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

  std::string scope() const { return dir_.path(); }
  std::string Refusal(const std::string& file, uint8_t key = 1, const std::string& other_scope = "") {
    KeyLocks locks(scope() + other_scope);
    const absl::Status status = locks.Add(TestPubkey(key), file);
    if (status.ok()) return "";
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    return std::string(status.message());
  }

  TemporaryFolder dir_;
  const std::string file_ = dir_.Write("key", "secret");
};

TEST_F(KeyLocksTest, ACopyIsRefusedByThePublicKey) {
  WithHolder(file_, [this](pid_t holder) {
    const std::string refusal = Refusal(dir_.Write("copy", "secret"));
    EXPECT_EQ(refusal, absl::StrCat("the key 0x0101…01 of ", dir_.path(), "/copy: it is in use by process ", holder,
                                    " of user id ", getuid(),
                                    ": two clients with the same keys would sign twice; stop it first"));
    EXPECT_EQ(Refusal(dir_.Write("other", "secret"), 2), "") << "another key";
  });
  EXPECT_EQ(Refusal(file_), "") << "the lock has ended with its process";
}

// Without a common namespace of names: on several machines with one file system, or in containers.
TEST_F(KeyLocksTest, LinksAreRefusedByTheFileItself) {
  fs::create_hard_link(file_, dir_.File("hard"));
  fs::create_symlink(file_, dir_.File("symbolic"));
  WithHolder(file_, [this](pid_t) {
    for (const char* name : {"key", "hard", "symbolic"}) {
      EXPECT_TRUE(absl::StrContains(Refusal(dir_.File(name), 1, "/elsewhere"), "it is in use by another process"))
          << name;
    }
    EXPECT_EQ(Refusal(dir_.Write("copy", "secret"), 1, "/elsewhere"), "");
  });
}

TEST_F(KeyLocksTest, AFileThatCanOnlyBeReadIsLocked) {
  fs::permissions(file_, fs::perms::owner_read);
  WithHolder(file_, [this](pid_t) { EXPECT_NE(Refusal(file_), ""); });
}

TEST_F(KeyLocksTest, AKeyThatWentMayComeAgain) {
  KeyLocks locks(scope());
  ASSERT_TRUE(locks.Add(TestPubkey(1), file_).ok());
  EXPECT_FALSE(locks.Add(TestPubkey(1), dir_.Write("copy", "secret")).ok());
  locks.Remove(TestPubkey(1));
  EXPECT_TRUE(locks.Add(TestPubkey(1), file_).ok());
  EXPECT_NE(Refusal(file_), "");
}

TEST_F(KeyLocksTest, AFailureLocksNothing) {
  EXPECT_TRUE(absl::IsNotFound(KeyLocks(scope()).Add(TestPubkey(1), dir_.File("none"))));
  EXPECT_EQ(Refusal(file_), "");
}

TEST_F(KeyLocksTest, AsManyKeysAsARegistryHas) {
  RaiseDescriptorLimit();
  KeyLocks locks(scope());
  for (uint16_t i = 0; i < 4096; ++i) {
    PublicKeyBytes pubkey;
    pubkey.data[0] = static_cast<uint8_t>(i);
    pubkey.data[1] = static_cast<uint8_t>(i >> 8);
    const absl::Status status = locks.Add(pubkey, dir_.Write(absl::StrCat(i), ""));
    ASSERT_TRUE(status.ok()) << i << ": " << status;
  }
}

TEST_F(KeyLocksTest, TooFewDescriptorsAreSaid) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(next);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(next) + 1, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  const absl::Status status = KeyLocks(scope()).Add(TestPubkey(1), file_);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "ulimit -n")) << status;
}

}  // namespace
}  // namespace lean::validator
