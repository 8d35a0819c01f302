#include "common/config/genesis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/bytes/bytes.h"

namespace lean {
namespace {

// The reference's own genesis (leanSpec 050fa4a) of one validator.
TEST(Genesis, IsTheReferences) {
  const GenesisConfig config{.genesis_time = 1'700'000'000,
                             .active_epoch = 0,
                             .validators = {ParseFixedHex<PublicKeyBytes>(
                                                "d83ee620b071c45f5da9363bd8fe2529f1ee19451bb28e0ab97be72ad4c57c4535057"
                                                "719c2dd9a1eba4b0719decb5e6ae3b0383c")
                                                .value()}};
  const Genesis genesis = MakeGenesis(config).value();
  EXPECT_EQ(ToHex(genesis.state_root.span()), "0x8a4ae490966fee44a378132e5d28469aa31793ad6e88d261ae40ad38ee0bc4e2");
  EXPECT_EQ(ToHex(genesis.block_root.span()), "0x2eb816076ec5ea159e39f6935d68d2983ae521c076211db497938b7c70f7f75c");
  EXPECT_EQ(genesis.block->state_root, genesis.state_root);
  EXPECT_EQ(genesis.state->validators.size(), 1u);
}

TEST(Genesis, DependsOnTimeAndKeysButNotOnTheInformativeField) {
  GenesisConfig config{.genesis_time = 1, .active_epoch = 1, .validators = {PublicKeyBytes(), PublicKeyBytes()}};
  const Root root = MakeGenesis(config).value().block_root;
  config.active_epoch = 2;
  EXPECT_EQ(MakeGenesis(config).value().block_root, root);
  config.genesis_time = 2;
  EXPECT_NE(MakeGenesis(config).value().block_root, root);
  config.genesis_time = 1;
  config.validators[1].data[0] = 1;
  EXPECT_NE(MakeGenesis(config).value().block_root, root);
}

TEST(Genesis, NeedsOneTo4096Validators) {
  GenesisConfig config;
  EXPECT_TRUE(absl::IsInvalidArgument(MakeGenesis(config).status()));
  config.validators.resize(4096);
  EXPECT_TRUE(MakeGenesis(config).ok());
  config.validators.resize(4097);
  EXPECT_TRUE(absl::IsInvalidArgument(MakeGenesis(config).status()));
}

}  // namespace
}  // namespace lean
