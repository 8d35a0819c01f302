// A validator client that cannot start reports the reason at every step and leaves nothing behind, so the next start
// works.
#include "validator_client/commands/validator_client.h"

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/config/genesis_folder.h"
#include "common/config/network_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/process/captured_log.h"
#include "tests/validator_client/support/test_keystores.h"
#include "validator_client/keys/keystore/keystore_list.h"

namespace lean::validator {
namespace {

using testing::HasSubstr;

constexpr uint64_t kLaterGenesis = 4'000'000'000;

class ValidatorClientTest : public testing::Test {
 protected:
  ValidatorClientTest() {
    // Keys for this process only, because a key can have one client on a machine.
    MakeKeys("keys", {0, 1}, /*seed=*/1);
    WriteGenesis("genesis", {List("keys")});
  }

  void MakeKeys(const std::string& name, const std::vector<uint64_t>& indices, uint64_t seed) const {
    ASSERT_TRUE(MakeTestKeystores(folder_.File(name), indices, static_cast<uint64_t>(getpid()) * 2 + seed).ok());
  }
  std::string List(const std::string& name) const { return folder_.File(name) + "/keystores.yaml"; }

  // A genesis of the keys in these lists, in their order.
  void WriteGenesis(const std::string& name, const std::vector<std::string>& lists) const {
    GenesisConfig config{.genesis_time = kLaterGenesis, .active_epoch = 0, .validators = {}};
    for (const std::string& list : lists) {
      const auto entries = ReadKeystoreList(list);
      ASSERT_TRUE(entries.ok()) << entries.status();
      for (const KeystoreEntry& entry : *entries) config.validators.push_back(entry.pubkey);
    }
    std::filesystem::create_directory(folder_.File(name));
    ASSERT_TRUE(WriteGenesisConfig(config, folder_.File(name)).ok());
    ASSERT_TRUE(WriteNetworkSpec({.slot_duration_ms = 4000, .xmss_log_lifetime = 8}, folder_.File(name)).ok());
  }

  // For this process only: every start uses the same ports.
  static std::string Address(int port) {
    return absl::StrCat("127.89.", getpid() / 200 % 200, ".", getpid() % 200 + 1, ":", port);
  }

  RunOptions Options() const {
    RunOptions options;
    options.keystores = List("keys");
    options.network.genesis_dir = folder_.File("genesis");
    options.beacons = {Address(1)};  // nothing listens there
    options.metrics_address = Address(8008);
    options.keymanager.address = Address(5062);
    return options;
  }

  absl::StatusOr<std::unique_ptr<ValidatorClient>> Start(const RunOptions& options) {
    return ValidatorClient::Start(options, stop_.get_token(), log_.logger());
  }
  std::unique_ptr<ValidatorClient> MustStart(const RunOptions& options) {
    auto client = Start(options);
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }

  // A start with changed `options` fails with `said` in its message, and the next start without the change works.
  void ExpectRefused(const std::function<void(RunOptions&)>& change, const std::string& said) {
    RunOptions options = Options();
    change(options);
    const auto refused = Start(options);
    ASSERT_FALSE(refused.ok()) << said;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(said));
    log_.Clear();
    ASSERT_NE(MustStart(Options()), nullptr);
    EXPECT_EQ(log_.Count("validator client starting"), 1);
  }

  TemporaryFolder folder_;
  CapturedLog log_;
  std::stop_source stop_;
};

TEST_F(ValidatorClientTest, StartsAndStopsOnTheSameKeysAndPorts) {
  for (int i = 0; i < 2; ++i) {
    const std::unique_ptr<ValidatorClient> client = MustStart(Options());
    ASSERT_NE(client, nullptr);
    EXPECT_EQ(client->metrics_address(), Address(8008));
    EXPECT_EQ(client->keymanager_address(), Address(5062));
  }
}

TEST_F(ValidatorClientTest, RunsUntilItIsStopped) {
  const std::unique_ptr<ValidatorClient> client = MustStart(Options());
  ASSERT_NE(client, nullptr);
  absl::Status ran = absl::UnknownError("");
  std::thread running([&] { ran = client->Run(); });
  client->Stop();
  running.join();
  EXPECT_TRUE(ran.ok()) << ran;
  EXPECT_TRUE(client->Run().ok()) << "it stays stopped";
}

TEST_F(ValidatorClientTest, OptionsThatDoNotGoTogether) {
  ExpectRefused(
      [](RunOptions& o) {
        o.keymanager = {};
        o.keymanager.token_file = "token";
      },
      "there is no --keymanager-address");
  ExpectRefused([](RunOptions& o) { o.keymanager.address = "0.0.0.0:5062"; }, "without TLS");
  ExpectRefused([](RunOptions& o) { o.signer = Address(1); }, "the keys are the signer's");
}

TEST_F(ValidatorClientTest, TheNetworkIsNotWhatItShouldBe) {
  ExpectRefused([&](RunOptions& o) { o.network.genesis_dir = folder_.File("none"); }, folder_.File("none"));
  ExpectRefused([](RunOptions& o) { o.network.genesis_root = "0x12"; }, "--genesis-root");
  ExpectRefused([](RunOptions& o) { o.network.slot_ms = 401; }, "--slot-ms");
  MakeKeys("others", {0}, /*seed=*/2);
  WriteGenesis("genesis-of-others", {List("others"), List("keys")});
  ExpectRefused([&](RunOptions& o) { o.network.genesis_dir = folder_.File("genesis-of-others"); }, "keystores.yaml:2");
}

TEST_F(ValidatorClientTest, TheKeysCannotBeOpened) {
  ExpectRefused([&](RunOptions& o) { o.keystores = folder_.File("none"); }, folder_.File("none"));
  const std::string list = folder_.Write("empty.yaml", "");
  ExpectRefused([&](RunOptions& o) { o.keystores = list; }, list);
  std::filesystem::copy(folder_.File("keys"), folder_.File("fewer"));
  std::filesystem::remove(folder_.File("fewer") + "/validator_1.key");
  ExpectRefused([&](RunOptions& o) { o.keystores = List("fewer"); }, "validator_1.key");
}

TEST_F(ValidatorClientTest, TheKeysAreInUse) {
  RunOptions without_servers = Options();
  without_servers.metrics_address = "";
  without_servers.keymanager = {};
  std::unique_ptr<ValidatorClient> other = MustStart(without_servers);
  ASSERT_NE(other, nullptr);
  const auto refused = Start(Options());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(absl::StrCat("in use by process ", getpid())));
  other.reset();
  EXPECT_NE(MustStart(Options()), nullptr);
}

TEST_F(ValidatorClientTest, TheRecordsCannotBeOpened) {
  ExpectRefused([&](RunOptions& o) { o.records = folder_.File("none") + "/records"; }, folder_.File("none"));
  const std::string damaged = folder_.Write("damaged", std::string(4096, 'x'));
  ExpectRefused([&](RunOptions& o) { o.records = damaged; }, damaged);
}

TEST_F(ValidatorClientTest, ABeaconIsNamedWrongly) {
  ExpectRefused([](RunOptions& o) { o.beacons = {Address(1), Address(1)}; }, "named twice");
  ExpectRefused([](RunOptions& o) { o.beacons = {"127.0.0.1:0"}; }, "a port above 0");
  const std::string none = folder_.File("none.pem");
  ExpectRefused([&](RunOptions& o) { o.tls.server_ca = none; }, none);
}

TEST_F(ValidatorClientTest, ASignerThatCannotBeHad) {
  const std::string none = folder_.File("none.pem");
  const auto signer = [](RunOptions& o) {
    o.keystores = "";
    o.keymanager = {};
    o.signer = Address(1);
  };
  ExpectRefused(
      [&](RunOptions& o) {
        signer(o);
        o.signer_tls.server_ca = none;
      },
      none);
}

TEST_F(ValidatorClientTest, APortIsInUse) {
  const auto taken = metrics::MetricsServer::Start("0", std::make_shared<metrics::Registry>());
  ASSERT_TRUE(taken.ok()) << taken.status();
  const std::string address = (*taken)->address();
  ExpectRefused([&](RunOptions& o) { o.metrics_address = address; }, address);
  ExpectRefused([&](RunOptions& o) { o.keymanager.address = address; }, address);
}

TEST_F(ValidatorClientTest, AFileOfTheKeymanagerIsWrong) {
  const std::string token = folder_.Write("token", "short");
  std::filesystem::permissions(token, std::filesystem::perms::owner_read);
  ExpectRefused([&](RunOptions& o) { o.keymanager.token_file = token; }, token);
  const std::string none = folder_.File("none.pem");
  ExpectRefused([&](RunOptions& o) { o.keymanager.tls = {.cert = none, .key = none, .client_ca = ""}; }, none);
}

}  // namespace
}  // namespace lean::validator
