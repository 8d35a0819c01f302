// A beacon that cannot start says why, at whatever step, and leaves nothing behind: the next start works.
#include "beacon/commands/beacon.h"

#include <unistd.h>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock/clock.h"
#include "common/config/genesis_folder.h"
#include "common/config/network_spec.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "tests/beacon/network/chain_node.h"
#include "tests/beacon/network/scripted_engine.h"
#include "tests/beacon/services/support/test_network.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/process/captured_log.h"
#include "tests/common/rpc/certificates.h"

namespace lean::beacon {
namespace {

using testing::HasSubstr;

class BeaconTest : public testing::Test {
 protected:
  BeaconTest() { WriteGenesis("genesis", TestNetwork::kGenesisTime); }

  void WriteGenesis(const std::string& name, uint64_t genesis_time, uint64_t slot_ms = 4000) {
    GenesisConfig config{.genesis_time = genesis_time, .active_epoch = 0, .validators = {}};
    for (const Validator& validator : network_.registry()) config.validators.push_back(validator.pubkey);
    std::filesystem::create_directory(folder_.File(name));
    ASSERT_TRUE(WriteGenesisConfig(config, folder_.File(name)).ok());
    ASSERT_TRUE(WriteNetworkSpec({.slot_duration_ms = slot_ms, .xmss_log_lifetime = 8}, folder_.File(name)).ok());
  }

  // Of this process alone: the ports are the same for every start.
  static std::string Address(int port) {
    return absl::StrCat("127.88.", getpid() / 200 % 200, ".", getpid() % 200 + 1, ":", port);
  }

  BeaconOptions Options(const std::string& data = "data") const {
    BeaconOptions options;
    options.genesis_dir = folder_.File("genesis");
    options.data_dir = folder_.File(data);
    options.rpc_address = Address(5052);
    // Nobody is there: it is dialled again and again.
    options.network_engine = absl::StrCat("unix:", folder_.File("engine"));
    return options;
  }
  // A beacon that has nothing in common with those of Options().
  BeaconOptions OtherOptions() const {
    BeaconOptions options = Options("other-data");
    options.rpc_address = "127.0.0.1:0";
    return options;
  }

  absl::StatusOr<std::unique_ptr<Beacon>> Start(const BeaconOptions& options) {
    return Beacon::Start(options, clock_, stop_.get_token(), log_.logger());
  }
  std::unique_ptr<Beacon> MustStart(const BeaconOptions& options) {
    auto beacon = Start(options);
    EXPECT_TRUE(beacon.ok()) << beacon.status();
    return beacon.ok() ? *std::move(beacon) : nullptr;
  }

  // Starts fail with `said` in their message while `options` are changed; after each, a start without the change works.
  void ExpectRefused(const std::function<void(BeaconOptions&)>& change, const std::string& said) {
    BeaconOptions options = Options();
    change(options);
    const auto refused = Start(options);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(said));
    log_.Clear();
    ASSERT_NE(MustStart(Options()), nullptr);
    EXPECT_EQ(log_.Count("beacon_started"), 1);
  }

  // What a load balancer is told of a service; "unknown": the server does not know it.
  static std::string HealthOf(const Beacon& beacon, const std::string& service) {
    const auto channel = grpc::CreateChannel(beacon.rpc_address(), grpc::InsecureChannelCredentials());
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    grpc::health::v1::HealthCheckResponse response;
    request.set_service(service);
    const grpc::Status status = grpc::health::v1::Health::NewStub(channel)->Check(&context, request, &response);
    return status.ok() ? grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status()) : "unknown";
  }

  static constexpr char kEngine[] = "lean.v1.NetworkEngine";

  const TestNetwork network_{4};
  TemporaryFolder folder_;
  CapturedLog log_;
  RealClock clock_;
  std::stop_source stop_;
};

TEST_F(BeaconTest, StartsAndStopsOnTheSameFolderAndPorts) {
  BeaconOptions options = Options();
  options.metrics_address = Address(8008);
  for (int i = 0; i < 2; ++i) {
    const std::unique_ptr<Beacon> beacon = MustStart(options);
    ASSERT_NE(beacon, nullptr);
    EXPECT_EQ(beacon->rpc_address(), Address(5052));
    EXPECT_EQ(beacon->metrics_address(), Address(8008));
  }
}

TEST_F(BeaconTest, EveryOptionThatIsWrong) {
  ExpectRefused([](BeaconOptions& o) { o.name = "two words"; }, "--name");
  ExpectRefused([&](BeaconOptions& o) { o.genesis_dir = folder_.File("none"); }, folder_.File("none"));
  ExpectRefused([](BeaconOptions& o) { o.checkpoint_root = "0x12"; }, "--checkpoint-root");
  ExpectRefused([](BeaconOptions& o) { o.network_engine = "10.0.0.1:9100"; },
                "--network-engine: \"10.0.0.1:9100\" is not for a network engine");
}

TEST_F(BeaconTest, NeedsNoNetworkEngine) {
  BeaconOptions options = Options();
  options.network_engine.clear();
  const std::unique_ptr<Beacon> beacon = MustStart(options);
  ASSERT_NE(beacon, nullptr);
  EXPECT_EQ(HealthOf(*beacon, ""), "SERVING");
  EXPECT_EQ(HealthOf(*beacon, kEngine), "unknown");
}

TEST_F(BeaconTest, HealthSaysWhetherThereIsANetworkEngineAndGoesOnWithout) {
  const BeaconOptions options = Options();
  const std::unique_ptr<Beacon> beacon = MustStart(options);
  ASSERT_NE(beacon, nullptr);
  EXPECT_EQ(HealthOf(*beacon, kEngine), "NOT_SERVING");
  for (int i = 0; i < 2; ++i) {
    const ScriptedEngine engine(options.network_engine);
    EXPECT_TRUE(Eventually([&] { return HealthOf(*beacon, kEngine) == "SERVING"; }));
    EXPECT_EQ(log_.Count("network_engine_lost"), i);
  }
  EXPECT_TRUE(Eventually([&] { return HealthOf(*beacon, kEngine) == "NOT_SERVING"; }));
  EXPECT_EQ(HealthOf(*beacon, ""), "SERVING");
}

TEST_F(BeaconTest, TheDataFolderCannotBeUsed) {
  MustStart(Options());  // makes it
  ExpectRefused([&](BeaconOptions& o) { o.data_dir = folder_.Write("file", ""); }, folder_.File("file"));
  WriteGenesis("other-genesis", TestNetwork::kGenesisTime + 1);
  ExpectRefused([&](BeaconOptions& o) { o.genesis_dir = folder_.File("other-genesis"); }, "holds the chain of network");
  const std::unique_ptr<Beacon> other = MustStart(OtherOptions());
  ExpectRefused([&](BeaconOptions& o) { o.data_dir = folder_.File("other-data"); }, "in use by process");
  ExpectRefused(
      [&](BeaconOptions& o) {
        o.data_dir = folder_.File("new-data");
        o.checkpoint = folder_.Write("checkpoint", "");
      },
      "--checkpoint needs --checkpoint-root");
}

TEST_F(BeaconTest, APortIsInUse) {
  const std::unique_ptr<Beacon> other = MustStart(OtherOptions());
  ASSERT_NE(other, nullptr);
  const std::string taken = other->rpc_address();
  ExpectRefused([&](BeaconOptions& o) { o.rpc_address = taken; }, taken);
  ExpectRefused([&](BeaconOptions& o) { o.metrics_address = taken; }, taken);
}

TEST_F(BeaconTest, ATlsFileIsMissing) {
  const std::string none = folder_.File("none.pem");
  ExpectRefused([&](BeaconOptions& o) { o.tls = {.cert = none, .key = none, .client_ca = ""}; }, none);
}

TEST_F(BeaconTest, StartsAtOnceHoweverOldTheGenesisIs) {
  WriteGenesis("old-genesis", /*genesis_time=*/1, /*slot_ms=*/400);
  BeaconOptions options = Options();
  options.genesis_dir = folder_.File("old-genesis");
  // In steps of some intervals, this would take minutes.
  EXPECT_NE(MustStart(options), nullptr);
}

TEST_F(BeaconTest, SaysUntilWhenItWaitsForGenesis) {
  WriteGenesis("later-genesis", /*genesis_time=*/4'000'000'000);
  BeaconOptions options = Options();
  options.genesis_dir = folder_.File("later-genesis");
  ASSERT_NE(MustStart(options), nullptr);
  EXPECT_EQ(log_.Count("genesis_ahead until=2096-10-02T07:06:40+00:00 seconds_left="), 1) << log_.text();
}

TEST_F(BeaconTest, WarnsOfATlsKeyThatAGroupCanRead) {
  if (geteuid() != 0) GTEST_SKIP() << "a key that a group can read must be root's";
  const rpc::CertificateFiles cert = rpc::MakeCertificate(folder_.path(), "server");
  BeaconOptions options = Options();
  options.tls = {.cert = cert.cert, .key = cert.key, .client_ca = ""};
  ASSERT_NE(MustStart(options), nullptr);
  EXPECT_EQ(log_.Count("secrets_open_to_group"), 0);
  std::filesystem::permissions(cert.key, std::filesystem::perms::owner_read | std::filesystem::perms::group_read);
  ASSERT_NE(MustStart(options), nullptr);
  EXPECT_EQ(log_.Count("secrets_open_to_group"), 1);
  EXPECT_EQ(log_.Count(cert.key), 1);
}

TEST_F(BeaconTest, IsToldToStopBeforeItHasStarted) {
  MustStart(Options());
  stop_.request_stop();
  const auto stopped = Start(Options());
  EXPECT_TRUE(absl::IsCancelled(stopped.status())) << stopped.status();
}

}  // namespace
}  // namespace lean::beacon
