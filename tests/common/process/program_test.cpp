#include "common/process/program.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean {
namespace {

using testing::HasSubstr;

// What a program with one command says on standard error.
std::string Said(std::vector<std::string> arguments) {
  testing::internal::CaptureStderr();
  {
    Program program("lean-test", "test");
    std::string needed;
    program.app().add_subcommand("do", "")->add_option("--needed", needed)->required();
    arguments.insert(arguments.begin(), "lean-test");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    EXPECT_EQ(program.Parse(static_cast<int>(argv.size()), argv.data()), kExitUsage);
  }
  return testing::internal::GetCapturedStderr();
}

TEST(Program, NamesTheUnknownOptionBeforeTheMissingOne) {
  EXPECT_THAT(Said({"do", "--neded", "x"}), HasSubstr("lean-test: unknown option --neded;"));
  EXPECT_THAT(Said({"do"}), HasSubstr("--needed is required"));
  EXPECT_THAT(Said({"dou"}), HasSubstr("\"dou\" is neither a command nor the value of an option"));
  EXPECT_THAT(Said({"do", "--needed", "x", "y"}), HasSubstr("\"y\" is neither"));
}

TEST(Program, KeepsAnErrorInOneLine) {
  EXPECT_THAT(Said({"do", "--a\nb\x1b[2J"}), HasSubstr("unknown option --a b [2J; run it with --help"));
  testing::internal::CaptureStderr();
  {
    const Program program("lean-test", "test");
    EXPECT_EQ(program.Report(absl::InternalError("a\x1b\nb")), kExitFailure);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "lean-test: a  b\n");
}

TEST(Program, RefusesOtherLogLevels) {
  EXPECT_THAT(Said({"do", "--needed", "x", "--log-level", "loud"}), HasSubstr("--log-level"));
}

}  // namespace
}  // namespace lean
