#include "validator_client/beacons/beacon_session.h"

#include <functional>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "common/bytes/bytes.h"
#include "gtest/gtest.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/fake_beacon.h"
#include "tests/validator_client/support/fake_key.h"

namespace lean::validator {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kValidators = 4;

class BeaconSessionTest : public ::testing::Test {
 protected:
  BeaconSession MakeSession(ExpectedNetwork expected = {}) {
    expected.xmss_log_lifetime = 16;
    return BeaconSession(beacon_, std::move(expected),
                         {{0, FakePubkey(0), "keys.yaml:1"}, {2, FakePubkey(2), "keys.yaml:4"}}, log_.logger());
  }
  absl::Status Probe(BeaconSession& session, uint64_t slot = 10) {
    return session.Probe(slot, milliseconds(500), [this] { return clock_.WallMs(); });
  }

  ManualClock clock_{kGenesisMs + 10 * static_cast<int64_t>(kSlotMs)};
  FakeBeacon beacon_{clock_, kValidators};
  CapturedLog log_;
  const Root root_ = FakeNetwork(kValidators).genesis_block_root;
};

TEST_F(BeaconSessionTest, LearnsTheNetworkFromAnHonestBeacon) {
  BeaconSession session = MakeSession();
  EXPECT_FALSE(session.ready().ok());
  EXPECT_FALSE(session.network().has_value());
  EXPECT_TRUE(Probe(session).ok()) << session.ready();
  ASSERT_TRUE(session.network().has_value());
  EXPECT_EQ(session.network()->genesis_block_root, beacon_.genesis_block_root);
  EXPECT_EQ(session.network()->genesis_time, kGenesisTime);
  EXPECT_EQ(session.network()->slot_duration_ms, kSlotMs);
  EXPECT_EQ(session.network()->validator_count, kValidators);
  EXPECT_FALSE(session.network()->genesis_checked());
  EXPECT_EQ(beacon_.calls[FakeBeacon::Method::kGetRegistry], 0);
  EXPECT_EQ(log_.Count("beacon ready beacon=fake:1"), 1);
  EXPECT_TRUE(Probe(session).ok());
  EXPECT_EQ(log_.Count("beacon ready"), 1) << "a state is logged when it changes";
}

TEST_F(BeaconSessionTest, PinsTheFirstGenesisItLearns) {
  BeaconSession session = MakeSession();
  ASSERT_TRUE(Probe(session).ok());
  const Root first = beacon_.genesis_block_root;
  beacon_.genesis_block_root = FakeRoot(0x99);
  const absl::Status status = Probe(session);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "the beacon has genesis " + ToHex(FakeRoot(0x99).span()) + ", this client works for " +
                                  ToHex(first.span()));
  EXPECT_EQ(log_.Count("warning beacon not usable beacon=fake:1 reason=\"failed_precondition: the beacon has genesis"),
            1);
  beacon_.genesis_block_root = first;
  EXPECT_TRUE(Probe(session).ok()) << "it keeps trying";
}

TEST_F(BeaconSessionTest, RefusesAnotherGenesisThanTheOperators) {
  BeaconSession session = MakeSession({.genesis_block_root = root_, .network = std::nullopt});
  EXPECT_EQ(Probe(session).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(session.network().has_value()) << "nothing is learned from a beacon that is refused";
  beacon_.genesis_block_root = root_;
  EXPECT_TRUE(Probe(session).ok());
}

TEST_F(BeaconSessionTest, RecomputesTheGenesisOfTheOperatorsRoot) {
  beacon_.genesis_block_root = root_;
  BeaconSession session = MakeSession({.genesis_block_root = root_, .network = std::nullopt});
  ASSERT_TRUE(Probe(session).ok()) << session.ready();
  EXPECT_TRUE(session.network()->genesis_checked());
  EXPECT_EQ(session.network()->registry->size(), kValidators);
  ASSERT_TRUE(Probe(session).ok());
  EXPECT_EQ(beacon_.calls[FakeBeacon::Method::kGetRegistry], 1) << "once is enough";
  EXPECT_EQ(session.CheckRegistered({3, FakePubkey(3), "keys.yaml:7"}, 10, milliseconds(500)), absl::OkStatus());
  EXPECT_EQ(session.CheckRegistered({1, FakePubkey(3), "keys.yaml:7"}, 10, milliseconds(500)).message(),
            "keys.yaml:7: the registry of the network has the key 0x0202…02 at index 1, not 0x0404…04");
}

TEST_F(BeaconSessionTest, BelievesNoTimeAndNoRegistryThatDoNotGiveTheOperatorsRoot) {
  beacon_.genesis_block_root = root_;
  BeaconSession session = MakeSession({.genesis_block_root = root_, .network = std::nullopt});
  const auto expect_refused = [&] {
    const absl::Status status = Probe(session);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "do not give the genesis root it names")) << status;
    EXPECT_FALSE(session.network().has_value());
    beacon_.bend_duties = nullptr;
    beacon_.bend_registry = nullptr;
  };
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.genesis_time -= 3600; };
  expect_refused();
  beacon_.bend_duties = [](DutiesAnswer& answer) { ++answer.validator_count; };
  expect_refused();
  beacon_.bend_registry = [](Registry& registry) { registry.pop_back(); };
  expect_refused();
  beacon_.bend_registry = [](Registry& registry) { std::swap(registry[1], registry[3]); };
  expect_refused();
  beacon_.bend_registry = [](Registry& registry) { registry.clear(); };
  expect_refused();
  beacon_.bend_registry = [](Registry& registry) { registry.resize(kMaxGenesisValidators + 1); };
  expect_refused();
  EXPECT_TRUE(Probe(session).ok()) << session.ready();
}

TEST_F(BeaconSessionTest, SaysThatABeaconWithoutARegistryCannotShowTheGenesis) {
  beacon_.genesis_block_root = root_;
  beacon_.fail[FakeBeacon::Method::kGetRegistry] = absl::UnimplementedError("no such method");
  BeaconSession session = MakeSession({.genesis_block_root = root_, .network = std::nullopt});
  EXPECT_EQ(
      Probe(session).message(),
      "cannot check --genesis-root without the beacon's registry (--genesis DIR does not need it): no such method");
}

TEST_F(BeaconSessionTest, NamesAKeyThatTheCheckedGenesisDoesNotHave) {
  beacon_.genesis_block_root = root_;
  ExpectedNetwork expected{.genesis_block_root = root_, .network = std::nullopt, .xmss_log_lifetime = 16};
  BeaconSession session(beacon_, expected, {{1, FakePubkey(2), "keys.yaml:1"}}, log_.logger());
  const absl::Status status = Probe(session);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "keys.yaml:1: the registry of --genesis-root has the key 0x0202…02 at index 1, not 0x0303…03");
}

TEST_F(BeaconSessionTest, TheWordOfABeaconThatDeniesOurKeysIsNothingAgainstTheRoot) {
  beacon_.genesis_block_root = root_;
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.duties[1] = {false, {}}; };
  BeaconSession session = MakeSession({.genesis_block_root = root_, .network = std::nullopt});
  EXPECT_EQ(Probe(session).code(), absl::StatusCode::kFailedPrecondition) << "the client goes on";
}

TEST_F(BeaconSessionTest, RefusesWhatTheGenesisFolderContradicts) {
  const NetworkIdentity network{beacon_.genesis_block_root, kGenesisTime + 1, kSlotMs, kValidators, nullptr};
  BeaconSession session = MakeSession({.genesis_block_root = std::nullopt, .network = network});
  EXPECT_EQ(Probe(session).message(),
            "the beacon has genesis time 1700000000 and 4 validators, the network has "
            "1700000001 and 4");
}

struct DutiesLie {
  const char* name;
  std::function<void(DutiesAnswer&)> tell;
  const char* refusal;
};

class DutiesLies : public BeaconSessionTest, public ::testing::WithParamInterface<DutiesLie> {};

TEST_P(DutiesLies, AreRefusedAtFirstContact) {
  BeaconSession session = MakeSession();
  beacon_.bend_duties = GetParam().tell;
  const absl::Status status = Probe(session);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), GetParam().refusal);
  EXPECT_EQ(session.ready(), status);
}

TEST_P(DutiesLies, AreRefusedLater) {
  BeaconSession session = MakeSession();
  ASSERT_TRUE(Probe(session).ok());
  beacon_.bend_duties = GetParam().tell;
  EXPECT_EQ(Probe(session).code(), absl::StatusCode::kFailedPrecondition);
  beacon_.bend_duties = nullptr;
  EXPECT_TRUE(Probe(session).ok());
}

INSTANTIATE_TEST_SUITE_P(
    BeaconSession, DutiesLies,
    ::testing::Values(
        DutiesLie{
            "Lifetime", [](DutiesAnswer& answer) { answer.xmss_log_lifetime = 32; },
            "WRONG_SPEC: the beacon's network has keys of lifetime 2^32, ours have 2^16: use a beacon of our keys' "
            "network, or keys made for that one"},
        DutiesLie{
            "Form", [](DutiesAnswer& answer) { answer.signature_form = "bin\ncode"; },
            "WRONG_SPEC: the beacon's network has signatures of form 'bin code', ours are 'flat': use another beacon"},
        DutiesLie{"ShortSlots", [](DutiesAnswer& answer) { answer.slot_duration_ms = 400; },
                  "WRONG_SPEC: slots of 400 ms, 4000 here (default): use a beacon of this network; if that one is "
                  "right, give its network.yaml by --genesis, or --slot-ms 400"},
        DutiesLie{"GenesisTime",
                  [](DutiesAnswer& answer) { answer.genesis_time = std::numeric_limits<uint64_t>::max(); },
                  "the beacon names the genesis time 18446744073709551615, which is no Unix time in seconds"},
        DutiesLie{"NoValidators", [](DutiesAnswer& answer) { answer.validator_count = 0; },
                  "the beacon names a registry of 0 validators, expected 1 to 4096"},
        DutiesLie{"TooManyValidators", [](DutiesAnswer& answer) { answer.validator_count = 4097; },
                  "the beacon names a registry of 4097 validators, expected 1 to 4096"},
        DutiesLie{"FewerDuties", [](DutiesAnswer& answer) { answer.duties.pop_back(); },
                  "the beacon answered for 1 keys, asked for 2"},
        DutiesLie{"Proposer", [](DutiesAnswer& answer) { answer.proposer_index = 3; },
                  "the beacon names proposer 3 for slot 10, expected 2"},
        DutiesLie{"Time", [](DutiesAnswer& answer) { answer.time_ms = std::numeric_limits<int64_t>::min(); },
                  "the beacon's clock shows -9223372036854775808 ms, which is no Unix time"},
        DutiesLie{"Syncing", [](DutiesAnswer& answer) { answer.synced = false; }, "the beacon is syncing"},
        DutiesLie{"SyncingAndSaysHowFar",
                  [](DutiesAnswer& answer) {
                    answer.synced = false;
                    answer.refusal = "SYNCING";
                    answer.refusal_message = "syncing: 12 slots behind alpha";
                  },
                  "the beacon is syncing"},
        DutiesLie{"DiskFull",
                  [](DutiesAnswer& answer) {
                    answer.synced = false;
                    answer.refusal = "STORAGE_FAILED";
                    answer.refusal_message = "no \"room\" is left";
                  },
                  "the beacon serves no duties: STORAGE_FAILED: no 'room' is left"}),
    [](const auto& info) { return info.param.name; });

TEST_F(BeaconSessionTest, NamesFileAndLineOfAKeyThatIsNotInTheRegistry) {
  BeaconSession session = MakeSession();
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.duties[1] = {false, {}}; };
  const absl::Status status = Probe(session);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "keys.yaml:4: the beacon's registry has another key at index 2, and 0x0303…03 nowhere");
  EXPECT_FALSE(session.network().has_value());
}

// Only a registry that lacks a key ends the client.
TEST_F(BeaconSessionTest, ABeaconThatRefusesTheCallSaysNothingAboutTheKeys) {
  BeaconSession session = MakeSession();
  beacon_.fail[FakeBeacon::Method::kGetDuties] = absl::InvalidArgumentError("MALFORMED_REQUEST");
  const absl::Status status = Probe(session);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "the beacon refuses the call: MALFORMED_REQUEST");
  EXPECT_EQ(session.CheckRegistered({2, FakePubkey(3), ""}, 10, milliseconds(500)).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(BeaconSessionTest, NamesFileAndLineOfAKeyAtAnotherIndex) {
  BeaconSession session = MakeSession();
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.duties[0] = {true, {1, 3}}; };
  EXPECT_EQ(Probe(session).message(),
            "keys.yaml:1: the beacon's registry has another key at index 0, and 0x0101…01 at 1, 3");
}

TEST_F(BeaconSessionTest, NamesFileAndLineOfAnIndexBeyondTheRegistry) {
  BeaconSession session = MakeSession();
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.validator_count = 2; };
  EXPECT_EQ(Probe(session).message(), "keys.yaml:4: index 2 is not in the beacon's registry of 2 validators");
}

TEST_F(BeaconSessionTest, BlamesTheBeaconOnceTheKeysWereFoundInTheRegistry) {
  BeaconSession session = MakeSession();
  ASSERT_TRUE(Probe(session).ok());
  beacon_.bend_duties = [](DutiesAnswer& answer) { answer.duties[1] = {false, {}}; };
  EXPECT_EQ(Probe(session).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(BeaconSessionTest, WarnsOnceWhenClocksDifferByMoreThan200Ms) {
  BeaconSession session = MakeSession();
  beacon_.offset_ms = 200;
  EXPECT_TRUE(Probe(session).ok());
  EXPECT_EQ(log_.Count("clocks differ"), 0);
  beacon_.offset_ms = -201;
  EXPECT_TRUE(Probe(session).ok());
  EXPECT_TRUE(Probe(session).ok());
  EXPECT_EQ(log_.Count("warning clocks differ beacon=fake:1 offset_ms=-201"), 1);
  beacon_.offset_ms = 0;
  EXPECT_TRUE(Probe(session).ok());
  EXPECT_EQ(log_.Count("clocks agree again"), 1);
}

TEST_F(BeaconSessionTest, CountsTheTimeOfTheCallInTheBeaconsFavour) {
  BeaconSession session = MakeSession();
  // The answer was written 300 ms after the question was sent, so the clocks do not differ.
  beacon_.slow[FakeBeacon::Method::kGetDuties] = milliseconds(300);
  EXPECT_TRUE(Probe(session).ok());
  EXPECT_EQ(session.clock_offset_ms(), 0);
  EXPECT_EQ(log_.Count("clocks differ"), 0);
}

TEST_F(BeaconSessionTest, RefusesABeaconMoreThanOneSlotApart) {
  BeaconSession session = MakeSession();
  beacon_.offset_ms = static_cast<int64_t>(kSlotMs);
  EXPECT_TRUE(Probe(session).ok());
  for (const int64_t slots : {2, -2, 1000}) {
    beacon_.offset_ms = slots * static_cast<int64_t>(kSlotMs);
    const absl::Status status = Probe(session);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(absl::StrContains(status.message(), "nothing is signed until they agree")) << status;
  }
}

TEST_F(BeaconSessionTest, ReportsABeaconThatIsGoneOnce) {
  BeaconSession session = MakeSession();
  beacon_.fail[FakeBeacon::Method::kGetDuties] = absl::UnavailableError("connection refused");
  EXPECT_EQ(Probe(session).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Probe(session).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(log_.Count("beacon not usable beacon=fake:1 reason=\"unavailable: connection refused\""), 1);
  beacon_.fail.clear();
  EXPECT_TRUE(Probe(session).ok());
  EXPECT_EQ(log_.Count("beacon ready"), 1);
}

TEST_F(BeaconSessionTest, RepeatsOnceAMinuteThatABeaconIsGone) {
  BeaconSession session = MakeSession();
  beacon_.fail[FakeBeacon::Method::kGetDuties] = absl::UnavailableError("connection refused");
  for (int second = 0; second < 180; ++second) {
    Probe(session).IgnoreError();
    clock_.Advance(milliseconds(1000));
  }
  EXPECT_EQ(log_.Count("beacon not usable"), 1);
  EXPECT_EQ(log_.Count("beacon still not usable beacon=fake:1 reason=\"unavailable: connection refused\""), 2)
      << log_.text();
  beacon_.fail.clear();
  for (int minute = 0; minute < 3; ++minute) {
    Probe(session, 70).IgnoreError();
    clock_.Advance(milliseconds(60'000));
  }
  EXPECT_EQ(log_.Count("still not usable"), 2);
}

TEST_F(BeaconSessionTest, IsNotReadyAfterAFailedDuty) {
  BeaconSession session = MakeSession();
  ASSERT_TRUE(Probe(session).ok());
  session.MarkFailed(absl::DeadlineExceededError("no answer"));
  EXPECT_EQ(session.ready().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace lean::validator
