#include "validator_client/commands/expected_network.h"

#include <filesystem>

#include "common/bytes/hex.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"
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

  TemporaryFolder dir_;
  Root root_;
  const std::vector<RegisteredKey> keys_ = {{1, FakePubkey(1), "keys.yaml:1"}};
};

TEST_F(ExpectedNetworkTest, ExpectsNothingUnasked) {
  const auto expected = MakeExpectedNetwork("", "", keys_, 16);
  ASSERT_TRUE(expected.ok());
  EXPECT_FALSE(expected->genesis_block_root.has_value());
  EXPECT_FALSE(expected->network.has_value());
  EXPECT_EQ(expected->xmss_log_lifetime, 16);
  EXPECT_EQ(expected->signature_form, "flat");
}

TEST_F(ExpectedNetworkTest, TakesTheRootOfTheOption) {
  EXPECT_EQ(MakeExpectedNetwork(ToHex(root_.span()), "", keys_, 16)->genesis_block_root, root_);
  EXPECT_EQ(MakeExpectedNetwork("0x12", "", keys_, 16).status().message().substr(0, 16), "--genesis-root: ");
}

TEST_F(ExpectedNetworkTest, TakesTheNetworkOfTheFolder) {
  const auto expected = MakeExpectedNetwork("", dir_.path(), keys_, 16);
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(expected->network, (Network{root_, kGenesisTime, 1000, 2}));
  EXPECT_TRUE(MakeExpectedNetwork(ToHex(root_.span()), dir_.path(), keys_, 16).ok());
}

TEST_F(ExpectedNetworkTest, RefusesAFolderOfAnotherGenesis) {
  EXPECT_EQ(MakeExpectedNetwork(ToHex(FakeRoot(1).span()), dir_.path(), keys_, 16).status().message(),
            "--genesis-root is not the root of " + dir_.path() + ", which is " + ToHex(root_.span()));
}

TEST_F(ExpectedNetworkTest, RefusesKeysOfAnotherLifetime) {
  EXPECT_EQ(MakeExpectedNetwork("", dir_.path(), keys_, 8).status().message(),
            "the network of " + dir_.path() + " has keys of lifetime 2^16, the keystores have 2^8");
}

TEST_F(ExpectedNetworkTest, RefusesAnUnknownIndexWithFileAndLine) {
  EXPECT_EQ(MakeExpectedNetwork("", dir_.path(), {{2, FakePubkey(1), "keys.yaml:4"}}, 16).status().message(),
            "keys.yaml:4: index 2 is not in the registry of " + dir_.path() + ", which has 2 validators");
}

TEST_F(ExpectedNetworkTest, RefusesAnotherKeyAtTheIndexWithFileAndLine) {
  EXPECT_EQ(MakeExpectedNetwork("", dir_.path(), {{0, FakePubkey(1), "keys.yaml:4"}}, 16).status().message(),
            "keys.yaml:4: the registry of " + dir_.path() + " has the key 0x0101…01 at index 0, not 0x0202…02");
}

}  // namespace
}  // namespace lean::validator
