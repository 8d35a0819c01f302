#include "validator_client/keys/keystore/password.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/process/stop_signals.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/test_keystores.h"

namespace lean::validator {
namespace {

TEST(Password, IsNormalisedAsEip2335Says) {
  // EIP-2335's example: the user types 𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑, and the password is 0x7465737470617373776f7264f09f9491.
  EXPECT_EQ(TextOf(MakePassword("𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑")), "testpassword\xf0\x9f\x94\x91");
  EXPECT_EQ(TextOf(MakePassword("\xc3\xa9")), "e\xcc\x81") << "composed and decomposed are one";
  EXPECT_EQ(TextOf(MakePassword("e\xcc\x81")), "e\xcc\x81");
  EXPECT_EQ(TextOf(MakePassword("plain Text 1")), "plain Text 1");
}

TEST(Password, HasNoControlCodes) {
  std::string all = "a";
  for (char code = 0; code < 0x20; ++code) all += code;
  absl::StrAppend(&all, "b\x7f", "c\xc2\x80\xc2\x9f", "d");
  EXPECT_EQ(TextOf(MakePassword(all)), "abcd") << "C0, Delete and C1";
  EXPECT_EQ(TextOf(MakePassword("secret\r\n")), "secret");
}

TEST(Password, RefusesWhatIsNone) {
  for (const std::string& text : {std::string(), std::string("\n\r\t"), std::string("\xff\xfe"), std::string("a\xc3"),
                                  std::string("\xed\xa0\x80"), std::string(kMaxPasswordBytes + 1, 'x')}) {
    EXPECT_EQ(Password::FromText(BytesOfText(text)).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(Password::FromText(BytesOfText(std::string(kMaxPasswordBytes, 'x'))).ok());
}

TEST(Password, AnErrorDoesNotQuoteIt) {
  EXPECT_FALSE(absl::StrContains(Password::FromText(BytesOfText("hush\xff")).status().message(), "hush"));
}

class PasswordFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<Password> Read(const std::string& text, mode_t mode) {
    std::ofstream(path_) << text;
    EXPECT_EQ(chmod(path_.c_str(), mode), 0);
    return ReadPasswordFile(path_);
  }

  TemporaryFolder dir_;
  const std::string path_ = absl::StrCat(dir_.path(), "/password");
};

TEST_F(PasswordFileTest, TheWholeFileButItsLineEndIsThePassword) {
  const auto password = Read(" two words \n", 0600);
  ASSERT_TRUE(password.ok()) << password.status();
  EXPECT_EQ(TextOf(*password), " two words ");
  EXPECT_TRUE(Read("x", 0400).ok());
}

TEST_F(PasswordFileTest, MustBeOpenToItsOwnerAlone) {
  for (const mode_t mode : {0620, 0604, 0644, 0660, 0610, 0601}) {
    const auto password = Read("secret", mode);
    EXPECT_EQ(password.status().code(), absl::StatusCode::kPermissionDenied) << std::oct << mode;
    EXPECT_TRUE(absl::StrContains(password.status().message(), absl::StrCat("chmod 600 ", path_)));
  }
}

TEST_F(PasswordFileTest, ErrorsNameTheFile) {
  EXPECT_EQ(Read("\n", 0600).status().message(), absl::StrCat(path_, ": the password is empty"));
  EXPECT_EQ(ReadPasswordFile(path_ + "x").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadPasswordFile(dir_.path()).status().code(), absl::StatusCode::kInvalidArgument);
}

// Runs PromptPassword in a separate process with a terminal, types `keys`, and returns the terminal's output and the
// result of the prompt.
class PromptTest : public ::testing::Test {
 protected:
  struct Result {
    std::string screen;
    std::string returned;
  };

  static Result Ask(bool confirm, const std::vector<std::string>& answers) {
    int answer_pipe[2];
    EXPECT_EQ(pipe(answer_pipe), 0);
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
      const auto password = PromptPassword("password", "--option", confirm);
      const std::string text = password.ok() ? TextOf(*password) : std::string(password.status().message());
      const bool written = write(answer_pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
      _exit(written ? 0 : 1);
    }
    close(answer_pipe[1]);
    Result result;
    char buffer[256];
    // Answers each prompt, which ends in ": ", after it has appeared.
    for (const std::string& answer : answers) {
      while (!absl::EndsWith(result.screen, ": ")) {
        const ssize_t count = read(terminal, buffer, sizeof(buffer));
        if (count <= 0) break;
        result.screen.append(buffer, static_cast<size_t>(count));
      }
      EXPECT_EQ(write(terminal, answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
      result.screen += "|";
    }
    ssize_t count = 0;
    while ((count = read(terminal, buffer, sizeof(buffer))) > 0) {
      result.screen.append(buffer, static_cast<size_t>(count));
    }
    while ((count = read(answer_pipe[0], buffer, sizeof(buffer))) > 0) {
      result.returned.append(buffer, static_cast<size_t>(count));
    }
    close(answer_pipe[0]);
    close(terminal);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return result;
  }
};

TEST_F(PromptTest, ShowsNothingOfWhatIsTyped) {
  const Result result = Ask(false, {"hush 1\n"});
  EXPECT_EQ(result.returned, "hush 1");
  EXPECT_EQ(result.screen, "password: |\r\n");
}

TEST_F(PromptTest, ANewOneIsAskedForTwice) {
  EXPECT_EQ(Ask(true, {"hush\n", "hush\n"}).returned, "hush");
  EXPECT_EQ(Ask(true, {"hush\n", "hash\n"}).returned, "the two passwords differ");
}

TEST_F(PromptTest, BackspaceTakesAWholeCharacter) {
  EXPECT_EQ(Ask(false, {"a\xc3\xa9\x7f\x7f\x7f\x08hush\n"}).returned, "hush");
}

TEST_F(PromptTest, CtrlCAndCtrlDCancel) {
  EXPECT_EQ(Ask(false, {"hu\x03"}).returned, "no password was given");
  EXPECT_EQ(Ask(false, {"\x04"}).returned, "no password was given");
}

TEST_F(PromptTest, AnEndlessLineIsRefused) {
  EXPECT_EQ(Ask(false, {std::string(3000, 'x') + "\n"}).returned, "the password has more than 1024 bytes");
}

TEST(Prompt, EndsOnARequestToStop) {
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    std::stop_source stop;
    stop.request_stop();
    _exit(PromptPassword("password", "--option", false, stop.get_token()).status().code() ==
                  absl::StatusCode::kCancelled
              ? 0
              : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(terminal);
}

TEST(Prompt, EndsOnASignalThatIsPending) {
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    const StopSignals signals;  // blocks SIGTERM
    kill(getpid(), SIGTERM);
    _exit(PromptPassword("password", "--option", false).status().code() == absl::StatusCode::kCancelled ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(terminal);
}

TEST(Prompt, NeedsATerminal) {
  const pid_t child = fork();
  if (child == 0) {
    setsid();  // there is no terminal from here on
    _exit(PromptPassword("password", "--option", false).status().code() == absl::StatusCode::kFailedPrecondition ? 0
                                                                                                                 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace lean::validator
