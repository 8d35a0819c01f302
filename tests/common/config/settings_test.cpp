#include "common/config/settings.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"

namespace lean {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() : settings_(app_, "LEAN_TEST_") {
    app_.fallthrough();
    app_.add_option("--log-level", level_)->capture_default_str();
    run_ = app_.add_subcommand("run", "");
    run_->add_option("--rpc-address", address_)->capture_default_str();
    CLI::Option* data = run_->add_option("--data", data_);
    run_->add_option("--keep-slots", keep_)->needs(data);
    run_->add_option("--beacon", beacons_);
    run_->add_flag("--broadcast", broadcast_);
    run_->add_flag("!--no-watch", watch_);
    run_->add_option_group("group")->add_option("--signer", signer_);
    settings_.AddTo(*run_);
    app_.add_subcommand("other", "")->add_option("--data", data_);
  }

  std::string File(const std::string& text) { return folder_.Write("test.yaml", text); }

  // Parses the arguments after completing them. Returns the error, or "".
  std::string Parse(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) {
    ASSIGN_OR_RETURN(std::vector<std::string> completed, settings_.Complete(arguments, environment),
                     std::string(_.message()));
    std::reverse(completed.begin(), completed.end());
    try {
      app_.parse(std::move(completed));
    } catch (const CLI::ParseError& error) {
      return absl::StrCat(error.what(), settings_.Origins(error.what()));
    }
    return "";
  }

  std::string Printed() const {
    std::ostringstream out;
    settings_.Print(*run_, out);
    return out.str();
  }

  TemporaryFolder folder_;
  CLI::App app_;
  CLI::App* run_ = nullptr;
  Settings settings_;
  std::string level_ = "info";
  std::string address_ = "127.0.0.1:1";
  std::string data_;
  std::string signer_;
  std::optional<uint64_t> keep_;
  std::vector<std::string> beacons_;
  bool broadcast_ = false;
  bool watch_ = true;
};

TEST_F(SettingsTest, TakesEverySettingFromTheFile) {
  const std::string path = File(
      "log-level: debug\nrpc-address: 127.0.0.1:2\ndata: d\nkeep-slots: 7\nbeacon: [a, b]\nbroadcast: true\n"
      "no-watch: true\nsigner: s\n");
  EXPECT_EQ(Parse({"run", "--config", path}), "");
  EXPECT_EQ(level_, "debug");
  EXPECT_EQ(address_, "127.0.0.1:2");
  EXPECT_EQ(data_, "d");
  EXPECT_EQ(keep_, 7u);
  EXPECT_THAT(beacons_, ElementsAre("a", "b"));
  EXPECT_TRUE(broadcast_);
  EXPECT_FALSE(watch_);
  EXPECT_EQ(signer_, "s");
}

TEST_F(SettingsTest, PrefersOptionsToTheEnvironmentToTheFile) {
  const std::string path = File("data: file\nrpc-address: file\nsigner: file\nbroadcast: true\n");
  EXPECT_EQ(Parse({"--log-level", "error", "run", "--data=option"},
                  {"LEAN_TEST_CONFIG=" + path, "LEAN_TEST_DATA=environment", "LEAN_TEST_RPC_ADDRESS=environment",
                   "LEAN_TEST_BROADCAST=false", "LEAN_TEST_LOG_LEVEL=warn", "OTHER=1", "LEAN_TESTS=1"}),
            "");
  EXPECT_EQ(data_, "option");
  EXPECT_EQ(address_, "environment");
  EXPECT_EQ(signer_, "file");
  EXPECT_FALSE(broadcast_);
  EXPECT_EQ(level_, "error");
}

TEST_F(SettingsTest, TakesAFileThatSetsNothing) {
  for (const char* text : {"", "\n", "# data: d\n", "---\n"})
    EXPECT_EQ(Parse({"run", "--config", File(text)}), "") << text;
}

TEST_F(SettingsTest, PrefersTheFileThatIsAnOption) {
  EXPECT_EQ(Parse({"run", "--config=" + File("data: d\n")}, {"LEAN_TEST_CONFIG=/nowhere"}), "");
  EXPECT_EQ(data_, "d");
}

TEST_F(SettingsTest, RefusesUnknownSettingsAndNamesTheNearest) {
  EXPECT_THAT(Parse({"run", "--config", File("data: d\nrpc-adress: x\n")}),
              HasSubstr("test.yaml:2: rpc-adress: unknown setting (did you mean rpc-address?)"));
  EXPECT_THAT(Parse({"run", "--config", File("zzzzzzzzzz: x\n")}), testing::EndsWith("unknown setting"));
  EXPECT_THAT(Parse({"run"}, {"LEAN_TEST_RPC_ADRESS=x"}),
              HasSubstr("LEAN_TEST_RPC_ADRESS, which is no setting (did you mean LEAN_TEST_RPC_ADDRESS?)"));
  EXPECT_THAT(Parse({"run"}, {"LEAN_TEST_rpc_address=x"}), HasSubstr("no setting"));
  EXPECT_THAT(Parse({"run", "--config", File("config: other.yaml\n")}), HasSubstr("names no other file"));
}

TEST_F(SettingsTest, RefusesWhatIsNoValue) {
  EXPECT_THAT(Parse({"run", "--config", File("data: d\nsigner:\n")}), HasSubstr("test.yaml:2: signer: has no value"));
  EXPECT_THAT(Parse({"run", "--config", File("data: \"\"\n")}), HasSubstr("test.yaml:1: data: has no value"));
  EXPECT_THAT(Parse({"run", "--config", File("data: [a, b]\n")}), HasSubstr("takes one value"));
  EXPECT_THAT(Parse({"run", "--config", File("beacon: []\n")}), HasSubstr("has no value"));
  EXPECT_THAT(Parse({"run", "--config", File("broadcast: yes\n")}), HasSubstr("expected true or false"));
  EXPECT_THAT(Parse({"run", "--config", File("- data\n")}), HasSubstr("expected a map"));
  EXPECT_THAT(Parse({"run"}, {"LEAN_TEST_DATA="}), HasSubstr("the environment (LEAN_TEST_DATA): data: has no value"));
  EXPECT_THAT(Parse({"run"}, {"LEAN_TEST_CONFIG="}), HasSubstr("empty LEAN_TEST_CONFIG"));
  EXPECT_THAT(Parse({"run", "--config", "/nowhere"}), HasSubstr("/nowhere"));
}

TEST_F(SettingsTest, SaysWhereASettingThatContradictsAnotherComesFrom) {
  EXPECT_THAT(Parse({"run", "--config", File("\nkeep-slots: 3\n")}),
              testing::AllOf(HasSubstr("--keep-slots requires --data"), HasSubstr("; --keep-slots is in "),
                             testing::EndsWith("test.yaml:2")));
}

TEST_F(SettingsTest, LeavesOtherCommandsAlone) {
  const std::vector<std::string> arguments = {"other", "--data", "run"};
  EXPECT_EQ(settings_.Complete(arguments, {"LEAN_TEST_NONSENSE=1"}).value(), arguments);
  EXPECT_THAT(settings_.Complete({}, {"LEAN_TEST_DATA=1"}).value(), IsEmpty());
}

TEST_F(SettingsTest, PrintsAFileThatSetsTheSame) {
  const std::string path = File("data: \"a # b\"\nbeacon: [\"[::1]:1\", c]\n");
  EXPECT_EQ(Parse({"run", "--config", path, "--broadcast"}, {"LEAN_TEST_SIGNER=s"}), "");
  const std::string printed = Printed();
  EXPECT_THAT(printed, HasSubstr("data: \"a # b\"" + std::string(35, ' ') + "# " + path + ":1\n"));
  EXPECT_THAT(printed, HasSubstr("# the environment (LEAN_TEST_SIGNER)\n"));
  EXPECT_THAT(printed, testing::ContainsRegex("broadcast: true +# an option\n"));
  EXPECT_THAT(printed, testing::ContainsRegex("rpc-address: 127.0.0.1:1 +# default\n"));
  EXPECT_THAT(printed, testing::ContainsRegex("# keep-slots: +# not set\n"));

  const std::vector<std::string> beacons = beacons_;
  EXPECT_EQ(Parse({"run", "--config", File(printed)}), "");
  EXPECT_EQ(data_, "a # b");
  EXPECT_EQ(beacons_, beacons);
  EXPECT_TRUE(broadcast_);
  EXPECT_EQ(signer_, "s");
}

TEST(DidYouMean, NamesOnlyWhatIsSimilar) {
  EXPECT_EQ(DidYouMean("rpc-adress", {"data", "rpc-address"}), " (did you mean rpc-address?)");
  EXPECT_EQ(DidYouMean("x", {"ab", "cd"}), "");
  EXPECT_EQ(DidYouMean("", {}), "");
  EXPECT_EQ(DidYouMean(std::string(1 << 20, 'a'), {"data"}), "");
}

}  // namespace
}  // namespace lean
