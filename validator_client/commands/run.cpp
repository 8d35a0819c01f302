#include "validator_client/commands/run.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/bytes/hex.h"
#include "common/clock/real_clock.h"
#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/random_source.h"
#include "common/metrics/metrics_server.h"
#include "common/process/receive_budget.h"
#include "common/process/until_stopped.h"
#include "common/rpc/channel.h"
#include "common/rpc/limits.h"
#include "common/rpc/listener_watch.h"
#include "validator_client/beacon_lanes.h"
#include "validator_client/beacon_pool.h"
#include "validator_client/commands/expected_network.h"
#include "validator_client/commands/records.h"
#include "validator_client/commands/signing_side.h"
#include "validator_client/foreign_votes.h"
#include "validator_client/grpc_beacon_client.h"
#include "validator_client/key_admission.h"
#include "validator_client/key_preparer.h"
#include "validator_client/keystores.h"
#include "validator_client/live_keys.h"
#include "validator_client/validator_metrics.h"
#include "validator_client/validator_service.h"

namespace lean::validator {
namespace {

using BeaconClients = std::vector<std::unique_ptr<GrpcBeaconClient>>;

// A beacon's largest answer is a block, of which it builds one a slot.
constexpr ReceiveLimits kReceiveLimits = {.burst_bytes = rpc::kMaxMessageBytes + (4u << 20),
                                          .bytes_per_second = rpc::kMaxMessageBytes / 2};

absl::StatusOr<BeaconClients> ConnectBeacons(const RunOptions& options) {
  rpc::ChannelOptions channel_options;
  channel_options.tls = options.tls;
  BeaconClients clients;
  absl::flat_hash_set<std::string> seen;
  for (const std::string& address : options.beacons) {
    if (!seen.insert(address).second) {
      return absl::InvalidArgumentError(absl::StrCat("--beacon: ", address, " is named twice"));
    }
    const auto channel = rpc::MakeChannel(address, channel_options);
    if (!channel.ok()) return channel.status();
    clients.push_back(std::make_unique<GrpcBeaconClient>(address, *channel));
  }
  return clients;
}

std::vector<BeaconClient*> Pointers(const BeaconClients& clients) {
  std::vector<BeaconClient*> pointers;
  pointers.reserve(clients.size());
  for (const auto& client : clients) pointers.push_back(client.get());
  return pointers;
}

absl::Status CheckKeymanagerOptions(const RunOptions& options) {
  const KeymanagerServerOptions& server = options.keymanager;
  if (server.address.empty()) {
    if (server.tls.empty() && server.token_file.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("--keymanager-...: there is no --keymanager-address");
  }
  if (!options.signer.empty()) {
    return absl::InvalidArgumentError("--keymanager-address: the keys are the signer's, and come and go there");
  }
  return CheckKeymanagerAddress(server);
}

// Null: none was asked for.
absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartKeymanager(const RunOptions& options, SigningSide& side,
                                                                   LiveKeys& keys, xmss::RandomSource& random,
                                                                   const std::shared_ptr<spdlog::logger>& log) {
  KeymanagerServerOptions server = options.keymanager;
  if (server.address.empty()) return nullptr;
  if (server.token_file.empty()) server.token_file = KeymanagerTokenPath(options.keystores);
  auto keymanager = StartKeymanagerServer({.keys = keys,
                                           .records = *side.records,
                                           .locks = side.key_locks,
                                           .random = random,
                                           .keystores = options.keystores,
                                           .protection = {.password = side.password},
                                           .log_lifetime = side.log_lifetime,
                                           .threads = std::max(1u, KeyThreads() / 2),
                                           .log = log},
                                          server);
  if (!keymanager.ok()) return keymanager.status();
  const std::string address = (*keymanager)->address().ToString();
  for (ProcessLock& lock : side.folder_locks) {
    const absl::Status status = lock.Announce(
        absl::StrCat("ask it at ", address, ": lean-validator keymanager --address ", address, " list|import|delete"));
    if (!status.ok()) return status;
  }
  log->info("keymanager listening address={} tls={} authorised_by={}", address, !server.tls.empty(),
            server.tls.client_ca.empty() ? server.token_file : "certificate");
  return keymanager;
}

}  // namespace

std::string KeymanagerTokenPath(const std::string& keystores) {
  return (std::filesystem::path(keystores).parent_path() / "keymanager_token").string();
}

absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  if (absl::Status status = CheckKeymanagerOptions(options); !status.ok()) return status;
  std::vector<std::string> warnings;
  absl::StatusOr<ExpectedNetwork> expected = MakeExpectedNetwork(options.network, warnings);
  for (const std::string& warning : warnings) log->warn("network odd message=\"{}\"", warning);
  if (!expected.ok()) return expected.status();
  RealClock clock;
  SlotLimit limit(clock, expected->slot_duration_ms, options.allow_slots_to);
  absl::StatusOr<std::unique_ptr<SigningSide>> opened;
  const absl::Status opening = RunOrExit(
      signals, /*exit_code=*/0,
      [&](std::stop_token stop) {
        opened = OpenSigningSide(options, limit, stop, *log);
        return opened.status();
      },
      [&log](const char* signal) { log->info("stopping signal={}", signal); });
  if (!opening.ok()) return opening;
  SigningSide& side = **opened;
  Signer& signer = *side.signer;
  const KeySetPtr keys_at_start = signer.keys();
  const std::vector<RegisteredKey> registered = RegisteredKeysOf(keys_at_start->all());
  absl::Status status = ExpectKeys(options.network, registered, side.log_lifetime, *expected);
  if (!status.ok()) return status;
  // Outlives the clients, whose threads a beacon that sends without end would keep.
  const ReceiveBudget receive_budget(kReceiveLimits, log);
  absl::StatusOr<BeaconClients> clients = ConnectBeacons(options);
  if (!clients.ok()) return clients.status();
  log->info(
      "validator client starting keys={} validators={} lifetime=2^{} slot_ms={} slot_ms_from={} records={} beacons={} "
      "broadcast={}",
      options.signer.empty() ? options.keystores : options.signer, keys_at_start->size(), side.log_lifetime,
      expected->slot_duration_ms, expected->slot_duration_origin,
      options.signer.empty() ? RecordsPath(options.records, options.keystores) : "signer",
      absl::StrJoin(options.beacons, ","), options.broadcast);
  if (!expected->genesis_block_root.has_value()) {
    log->warn(
        "network not named slots_ahead={}: genesis time and registry are what beacons say, and no key signs "
        "further above its records than that and the time passed allow; name the network by --genesis DIR",
        kSlotsAhead);
  }
  StartOptions start;
  start.new_keys = options.new_keys;
  start.watch = options.watch;
  start.resumed = side.signed_a_moment_ago;
  std::mt19937_64 random_watch{std::random_device()()};
  start.watched_slots = [&random_watch] { return DrawWatchedSlots(random_watch); };

  xmss::SystemRandomSource random;
  KeyPreparer preparer(keys_at_start->all(), log);
  LiveKeys keys(signer, preparer);
  BeaconLanes lanes(clients->size());
  BeaconPool beacons(
      Pointers(*clients), *expected, registered, options.broadcast,
      [&lanes](size_t beacon, std::function<void()> task) { return lanes.Run(beacon, std::move(task)); }, log);
  const auto registry = std::make_shared<metrics::Registry>();
  ValidatorMetrics metrics(*registry);
  const absl::StatusOr<crypto::SignatureScheme> scheme =
      crypto::SignatureScheme::Create({.xmss_log_lifetime = side.log_lifetime});
  if (!scheme.ok()) return scheme.status();
  ForeignVotes votes(
      clock, beacons, signer,
      [&scheme](const PublicKeyBytes& pubkey, const SignedAttestation& vote, const Root& root) {
        return scheme->Verify(pubkey, vote.message.data.slot, root, vote.signature).ok();
      },
      log);
  ValidatorService service(clock, beacons, votes, keys, start, std::random_device()(), metrics, log);
  rpc::ListenerWatch listeners(clock, log);
  registry->AddRefresher([&] {
    for (const rpc::ListenerWatch::State& listener : listeners.states()) {
      metrics.listener_answers.Set(listener.answers ? 1 : 0, {{"listener", listener.name}});
    }
  });
  const absl::StatusOr<std::unique_ptr<metrics::MetricsServer>> metrics_server =
      metrics::MetricsServer::StartIfAsked(options.metrics_address, registry, *log);
  if (!metrics_server.ok()) return metrics_server.status();
  const absl::StatusOr<std::unique_ptr<rpc::PooledServer>> keymanager =
      StartKeymanager(options, side, keys, random, log);
  if (!keymanager.ok()) return keymanager.status();
  if (*metrics_server != nullptr) listeners.Add("metrics", (*metrics_server)->listener());
  if (*keymanager != nullptr) listeners.Add("keymanager", (*keymanager)->address());
  return RunUntilStopped(
      signals, [&service] { return service.Run(); },
      [&](const char* signal) {
        log->info("stopping signal={}", signal);
        if (*keymanager != nullptr) (*keymanager)->Stop();
        clock.Interrupt();
        for (const auto& client : *clients) client->Cancel();
        preparer.Stop();
      });
}

}  // namespace lean::validator
