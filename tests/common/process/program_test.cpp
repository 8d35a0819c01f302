#include "common/process/program.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OptionValuesTest : public testing::Test {
 protected:
  OptionValuesTest() {
    app_.fallthrough();
    app_.add_option("--top", text_);
    CLI::App* command = app_.add_subcommand("do", "");
    command->add_option("--text", text_);
    command->add_option("--number", number_);
    command->add_option("--choice", small_)->check(CLI::IsMember({8, 16, 32}));
    command->add_option("--texts", texts_);
    command->add_flag("--flag", flag_);
    AddListOption(*command, "--list", list_, "",
                  [](const std::string& value) { return value == "bad" ? "is bad" : ""; });
    command->add_option_group("group")->add_option("--inner", text_);
    CheckOptionValues(app_);
  }

  // The error, or "".
  std::string Parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "do");
    std::string error = EmptyOptionError(arguments);
    if (!error.empty()) return error;
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(arguments);
    } catch (const CLI::ParseError& thrown) {
      return thrown.what();
    }
    return "";
  }

  CLI::App app_;
  std::string text_;
  std::optional<uint64_t> number_;
  uint32_t small_ = 8;
  std::vector<std::string> texts_;
  std::vector<std::string> list_ = {"a", "b"};
  bool flag_ = false;
};

TEST_F(OptionValuesTest, RefusesEmptyValuesOfEveryKind) {
  for (const char* option : {"--top", "--text", "--number", "--choice", "--texts", "--list", "--inner"}) {
    EXPECT_THAT(Parse({option, ""}), HasSubstr(std::string(option) + ": the value is empty"));
    EXPECT_THAT(Parse({option, "  "}), HasSubstr(std::string(option) + ": the value is empty"));
    EXPECT_THAT(Parse({std::string(option) + "=", "x"}), HasSubstr(std::string(option) + ": the value is empty"));
    EXPECT_THAT(Parse({option, "--flag"}), HasSubstr(std::string(option) + ": the value is missing"));
  }
}

TEST_F(OptionValuesTest, RefusesNumbersThatAreNone) {
  for (const char* number : {"-1", "+1", "1e3", "0x10", "010", "12abc", "1.5", "99999999999999999999", " 1"}) {
    EXPECT_THAT(Parse({"--number", number}), HasSubstr("--number: ")) << number;
    EXPECT_THAT(Parse({"--choice", number}), HasSubstr("--choice: ")) << number;
  }
}

TEST_F(OptionValuesTest, TakesNumbers) {
  EXPECT_EQ(Parse({"--number", "18446744073709551615", "--choice", "16"}), "");
  EXPECT_EQ(number_, ~uint64_t{0});
  EXPECT_EQ(small_, 16u);
  EXPECT_EQ(Parse({"--number", "0"}), "");
  EXPECT_EQ(number_, 0u);
}

TEST_F(OptionValuesTest, RefusesValuesOfFlags) {
  EXPECT_THAT(Parse({"--flag="}), HasSubstr("--flag: the value is empty"));
  EXPECT_THAT(Parse({"--flag=false"}), HasSubstr("flag"));
  EXPECT_EQ(Parse({"--flag"}), "");
  EXPECT_TRUE(flag_);
}

TEST_F(OptionValuesTest, SplitsLists) {
  EXPECT_EQ(Parse({"--list", "c, d", "--list", "e"}), "");
  EXPECT_THAT(list_, ElementsAre("c", "d", "e"));
  for (const char* list : {",", "a,", ",a", "a,,b", "a, ,b"}) {
    EXPECT_THAT(Parse({"--list", list}), HasSubstr("--list: an element of")) << list;
  }
  EXPECT_THAT(Parse({"--list", "a,bad"}), HasSubstr("--list: is bad"));
}

TEST_F(OptionValuesTest, KeepsTheDefaultOfALeftOutList) {
  EXPECT_EQ(Parse({}), "");
  EXPECT_THAT(list_, ElementsAre("a", "b"));
  EXPECT_THAT(app_.get_subcommand("do")->help(), HasSubstr("a,b"));
}

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
  EXPECT_THAT(Said({"do", "--neded", "x"}), HasSubstr("lean-test: unknown option --neded (did you mean --needed?);"));
  EXPECT_THAT(Said({"do"}), HasSubstr("--needed is required"));
  EXPECT_THAT(Said({"dou"}), HasSubstr("\"dou\" is neither a command nor the value of an option (did you mean do?)"));
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
