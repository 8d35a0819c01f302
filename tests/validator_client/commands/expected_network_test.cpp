#include "validator_client/commands/expected_network.h"

#include <filesystem>

#include "common/bytes/bytes.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"
#include "common/status/status_macros.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

class ExpectedNetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const GenesisConfig config{
        .genesis_time = kGenesisTime, .active_epoch = 18, .validators = {FakePubkey(0), FakePubkey(1)}};
    ASSERT_TRUE(WriteGenesisConfig(config, dir_.path()).ok());
    ASSERT_TRUE(WriteNetworkSpec({.slot_duration_ms = 1000, .xmss_log_lifetime = 16}, dir_.path()).ok());
    root_ = MakeGenesis(config)->block_root;
  }

  absl::StatusOr<ExpectedNetwork> Make(const NetworkOptions& options) { return Make(options, keys_, 16); }
  absl::StatusOr<ExpectedNetwork> Make(const NetworkOptions& options, const std::vector<RegisteredKey>& keys,
                                       uint32_t log_lifetime) {
    ASSIGN_OR_RETURN(ExpectedNetwork expected, MakeExpectedNetwork(options, warnings_));
    RETURN_IF_ERROR(ExpectKeys(options, keys, log_lifetime, expected));
    return expected;
  }

  TemporaryFolder dir_;
  Root root_;
  std::vector<std::string> warnings_;
  const std::vector<RegisteredKey> keys_ = {{1, FakePubkey(1), "keys.yaml:1"}};
};

TEST_F(ExpectedNetworkTest, ExpectsNothingUnasked) {
  const auto expected = Make({});
  ASSERT_TRUE(expected.ok());
  EXPECT_FALSE(expected->genesis_block_root.has_value());
  EXPECT_FALSE(expected->network.has_value());
  EXPECT_EQ(expected->xmss_log_lifetime, 16);
  EXPECT_EQ(expected->signature_form, "flat");
}

TEST_F(ExpectedNetworkTest, TakesTheRootOfTheOption) {
  EXPECT_EQ(Make({.genesis_root = ToHex(root_.span())})->genesis_block_root, root_);
  EXPECT_EQ(Make({.genesis_root = "0x12"}).status().message().substr(0, 16), "--genesis-root: ");
}

TEST_F(ExpectedNetworkTest, TakesTheNetworkOfTheFolder) {
  const auto expected = Make({.genesis_dir = dir_.path()});
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_TRUE(expected->network.has_value());
  EXPECT_EQ(expected->network->genesis_block_root, root_);
  EXPECT_EQ(expected->network->genesis_time, kGenesisTime);
  EXPECT_EQ(expected->network->slot_duration_ms, 1000);
  EXPECT_EQ(expected->network->validator_count, 2);
  EXPECT_TRUE(expected->network->genesis_checked());
  EXPECT_EQ(expected->slot_duration_ms, 1000);
  EXPECT_EQ(expected->slot_duration_origin, dir_.path() + "/network.yaml");
  EXPECT_TRUE(warnings_.empty());
  EXPECT_TRUE(Make({.genesis_root = ToHex(root_.span()), .genesis_dir = dir_.path()}).ok());
}

TEST_F(ExpectedNetworkTest, TakesSlotsOf4000MsUnlessTheOperatorSaysOtherwise) {
  EXPECT_EQ(Make({})->slot_duration_ms, 4000);
  EXPECT_EQ(Make({})->slot_duration_origin, "default");
  EXPECT_EQ(Make({.slot_ms = 800})->slot_duration_ms, 800);
  EXPECT_EQ(Make({.slot_ms = 800})->slot_duration_origin, "--slot-ms");
  EXPECT_EQ(Make({.slot_ms = 801}).status().message(),
            "--slot-ms: slot duration: expected a multiple of 4 from 100 to 60000 milliseconds, got 801");
  EXPECT_TRUE(Make({.genesis_dir = dir_.path(), .slot_ms = 1000}).ok());
  EXPECT_EQ(Make({.genesis_dir = dir_.path(), .slot_ms = 4000}).status().message(),
            "--slot-ms 4000: " + dir_.path() + "/network.yaml has slots of 1000 ms: leave the option out");
}

TEST_F(ExpectedNetworkTest, SaysThatNetworkYamlIsMissing) {
  std::filesystem::remove(dir_.path() + "/network.yaml");
  const std::string missing = dir_.path() +
                              "/network.yaml is missing, so slots have 4000 ms and keys have a lifetime "
                              "of 2^32";
  EXPECT_EQ(Make({.genesis_dir = dir_.path()}).status().message(),
            "the network of " + dir_.path() + " has keys of lifetime 2^32, the keystores have 2^16");
  EXPECT_EQ(warnings_, std::vector<std::string>{missing});
  const auto expected = Make({.genesis_dir = dir_.path(), .slot_ms = 800}, keys_, 32);
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(expected->network->slot_duration_ms, 800);
  EXPECT_EQ(
      warnings_.back(),
      dir_.path() + "/network.yaml is missing, so slots have the 800 ms of --slot-ms and keys have a lifetime of 2^32");
}

TEST_F(ExpectedNetworkTest, RefusesAFolderOfAnotherGenesis) {
  EXPECT_EQ(Make({.genesis_root = ToHex(FakeRoot(1).span()), .genesis_dir = dir_.path()}).status().message(),
            "--genesis-root is not the root of " + dir_.path() + ", which is " + ToHex(root_.span()));
}

TEST_F(ExpectedNetworkTest, RefusesKeysOfAnotherLifetime) {
  EXPECT_EQ(Make({.genesis_dir = dir_.path()}, keys_, 8).status().message(),
            "the network of " + dir_.path() + " has keys of lifetime 2^16, the keystores have 2^8");
}

TEST_F(ExpectedNetworkTest, RefusesAnUnknownIndexWithFileAndLine) {
  EXPECT_EQ(Make({.genesis_dir = dir_.path()}, {{2, FakePubkey(1), "keys.yaml:4"}}, 16).status().message(),
            "keys.yaml:4: index 2 is not in the registry of " + dir_.path() + ", which has 2 validators");
}

TEST_F(ExpectedNetworkTest, RefusesAnotherKeyAtTheIndexWithFileAndLine) {
  EXPECT_EQ(Make({.genesis_dir = dir_.path()}, {{0, FakePubkey(1), "keys.yaml:4"}}, 16).status().message(),
            "keys.yaml:4: the registry of " + dir_.path() + " has the key 0x0101…01 at index 0, not 0x0202…02");
}

}  // namespace
}  // namespace lean::validator
