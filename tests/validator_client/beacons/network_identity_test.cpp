#include "validator_client/beacons/network_identity.h"

#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"
#include "validator_client/beacons/beacon_pool.h"

namespace lean::validator {
namespace {

using Places = std::vector<size_t>;

NetworkIdentity Named(uint8_t root, uint64_t genesis_time = 1) {
  return {FakeRoot(root), genesis_time, 4000, 4, nullptr};
}

TEST(MostNamedFirst, KeepsTheOrderAmongEquals) {
  EXPECT_EQ(MostNamedFirst({}), Places{});
  EXPECT_EQ(MostNamedFirst({Named(1)}), Places{0});
  EXPECT_EQ(MostNamedFirst({Named(1), Named(2)}), (Places{0, 1}));
  EXPECT_EQ(MostNamedFirst({std::nullopt, Named(2)}), (Places{1, 0}));
}

TEST(MostNamedFirst, ComparesNetworksAsAWhole) {
  EXPECT_EQ(MostNamedFirst({Named(9), Named(1), Named(1)}), (Places{1, 2, 0}));
  EXPECT_EQ(MostNamedFirst({Named(1, 7), Named(1), std::nullopt, Named(1)}), (Places{1, 3, 0, 2}));
}

// When the operator has not named the network.
TEST(UnnamedNetwork, OneBeaconOfThreeDoesNotSayWhichItIs) {
  ManualClock clock(kGenesisMs + 20 * kSlotLength);
  CapturedLog log;
  for (size_t liar = 0; liar < 3; ++liar) {
    FakeBeacon beacons[] = {{clock, 4, "first:1"}, {clock, 4, "second:2"}, {clock, 4, "third:3"}};
    beacons[liar].bend_duties = [](DutiesAnswer& answer) { answer.genesis_time -= 4000; };
    ExpectedNetwork expected;
    expected.xmss_log_lifetime = 16;
    BeaconPool pool({&beacons[0], &beacons[1], &beacons[2]}, expected, {{0, FakePubkey(0), "keys.yaml:1"}}, false,
                    RunInline, log.logger());
    EXPECT_TRUE(pool.Probe(20, std::chrono::milliseconds(500), [&] { return clock.WallMs(); }).ok());
    ASSERT_TRUE(pool.network().has_value());
    EXPECT_EQ(pool.network()->genesis_time, kGenesisTime);
    EXPECT_FALSE(pool.session(liar).ready().ok());
  }
}

}  // namespace
}  // namespace lean::validator
