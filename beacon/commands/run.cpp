#include "beacon/commands/run.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "beacon/commands/beacon_metrics.h"
#include "beacon/commands/kept_chain.h"
#include "beacon/network/network_service.h"
#include "beacon/network/peers_file.h"
#include "beacon/rpc/rpc_service.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/signature_verifier.h"
#include "beacon/storage/backfill.h"
#include "beacon/storage/stored_block_source.h"
#include "beacon/sync/sync_service.h"
#include "common/bytes/hex.h"
#include "common/clock/real_clock.h"
#include "common/clock/slot_clock.h"
#include "common/config/genesis.h"
#include "common/config/genesis_folder.h"
#include "common/config/network_spec.h"
#include "common/config/plain_name.h"
#include "common/config/public_keys.h"
#include "common/crypto/signature_scheme.h"
#include "common/metrics/metrics_server.h"
#include "common/process/descriptors.h"
#include "common/version/version.h"

namespace lean::beacon {
namespace {

// Accepted items that wait for the network; what does not fit is not published.
constexpr size_t kOutboundItems = 1024;

constexpr int64_t kWarnBeforeEndMs = int64_t{2} * 24 * 60 * 60 * 1000;

// What a genesis folder says, checked as a whole.
struct Network {
  NetworkSpec spec;
  crypto::SignatureScheme scheme;
  Genesis genesis;
};

absl::StatusOr<Network> ReadNetwork(const std::string& dir, spdlog::logger& log) {
  std::vector<std::string> warnings;
  absl::StatusOr<GenesisConfig> config = ReadGenesisConfig(dir, &warnings);
  for (const std::string& warning : warnings) log.warn("genesis_odd message=\"{}\"", warning);
  if (!config.ok()) return config.status();
  absl::StatusOr<NetworkSpec> spec = ReadNetworkSpec(dir);
  if (!spec.ok()) return spec.status();
  absl::StatusOr<crypto::SignatureScheme> scheme = crypto::SignatureScheme::Create(*spec);
  if (!scheme.ok()) return scheme.status();
  if (absl::Status status = CheckPublicKeys(*config, *scheme); !status.ok()) return status;
  absl::StatusOr<Genesis> genesis = MakeGenesis(*config);
  if (!genesis.ok()) return genesis.status();
  return Network{*std::move(spec), *std::move(scheme), *std::move(genesis)};
}

// Of a half, peers' connections cannot take the rest: it is for the database and our own clients.
int DescriptorsForPeers() { return static_cast<int>(RaiseDescriptorLimit() / 2); }

absl::StatusOr<NetworkOptions> ReadNetworkOptions(const RunOptions& options) {
  NetworkOptions network{.name = options.name,
                         .peers = options.peers,
                         .listen_address = options.peer_address,
                         .tls = options.peer_tls,
                         .limits = {},
                         .rates = {},
                         .queue = {},
                         .max_descriptors = DescriptorsForPeers()};
  if (!options.peers_file.empty()) {
    absl::StatusOr<std::vector<std::string>> more = ReadPeersFile(options.peers_file);
    if (!more.ok()) return more.status();
    network.peers.insert(network.peers.end(), more->begin(), more->end());
  }
  // Named twice, it is dialled once.
  std::sort(network.peers.begin(), network.peers.end());
  network.peers.erase(std::unique(network.peers.begin(), network.peers.end()), network.peers.end());
  return network;
}

absl::StatusOr<KeptChainOptions> ReadKeptOptions(const RunOptions& options, const NetworkSpec& spec) {
  KeptChainOptions kept{.data_dir = options.data_dir,
                        .slot = std::chrono::milliseconds(spec.slot_duration_ms),
                        .network = spec.name,
                        .keep_slots = options.keep_slots,
                        .checkpoint = options.checkpoint,
                        .checkpoint_root = std::nullopt};
  if (options.checkpoint_root.empty()) return kept;
  const absl::StatusOr<Root> root = ParseFixedHex<Root>(options.checkpoint_root);
  if (!root.ok()) return absl::InvalidArgumentError(absl::StrCat("--checkpoint-root: ", root.status().message()));
  kept.checkpoint_root = *root;
  return kept;
}

std::unique_ptr<const BlockSource> MakeBlockSource(const ChainService& service, const ChainDatabase* database,
                                                   const std::shared_ptr<spdlog::logger>& log) {
  if (database == nullptr) return std::make_unique<MemoryBlockSource>(service);
  return std::make_unique<StoredBlockSource>(service, *database, log);
}

KeptChain KeptBy(const ChainDatabase* database, const StorageService* storage,
                 const std::shared_ptr<spdlog::logger>& log) {
  if (database == nullptr) return {};
  return {.on_disk = true,
          .state_of = [database, log](const Checkpoint& id) -> StatePtr {
            const absl::StatusOr<StatePtr> state = database->StateOf(id);
            if (state.ok()) return *state;
            log->warn("state_unreadable slot={} message=\"{}\"", id.slot, std::string(state.status().message()));
            return nullptr;
          },
          .health = [storage] { return storage->Health(); }};
}

void LogStart(const RunOptions& options, const ServedChain& served, const rpc::Address& address, spdlog::logger& log) {
  log.info(
      "beacon_started name={} version={} commit={} network={} genesis={} genesis_time={} validators={} slot={} rpc={}",
      options.name, std::string(Version()), std::string(Commit()), served.spec.name,
      ToHex(served.genesis.block_root.span()), served.genesis.state->config.genesis_time, served.validator_count(),
      served.Now().slot, address.ToString());
  const int64_t end_ms = served.slots.StartMs(static_cast<int64_t>(served.last_slot()) + 1, 0);
  const int64_t left_ms = end_ms - served.clock.WallMs();
  if (left_ms < kWarnBeforeEndMs) {
    log.warn("chain_ends last_slot={} seconds_left={} message=\"{}\"", served.last_slot(),
             std::max<int64_t>(left_ms, 0) / 1000,
             left_ms > 0 ? "the chain ends by its own limits; start a new network before that"
                         : "the chain has reached its end; start a new network");
  }
}

// What a database keeps is read from there when it is asked for: memory has the newest of it.
ChainServiceOptions ChainOptions(bool kept) {
  ChainServiceOptions options;
  if (kept) options.writer.prune = PruneLimits{.state_slots = 512, .block_bytes = uint64_t{32} << 20};
  return options;
}

}  // namespace

absl::Status Run(const RunOptions& options, StopSignals& signals, const std::shared_ptr<spdlog::logger>& log) {
  if (!IsPlainName(options.name)) {
    return absl::InvalidArgumentError("--name: 1 to 64 letters, digits, '-', '_' or '.'");
  }
  const absl::StatusOr<NetworkOptions> network_options = ReadNetworkOptions(options);
  if (!network_options.ok()) return network_options.status();
  absl::StatusOr<Network> network = ReadNetwork(options.genesis_dir, *log);
  if (!network.ok()) return network.status();
  const Genesis& genesis = network->genesis;
  absl::StatusOr<KeptChainOptions> kept_options = ReadKeptOptions(options, network->spec);
  if (!kept_options.ok()) return kept_options.status();
  absl::StatusOr<StartedChain> started = StartChain(*kept_options, genesis, network->scheme, signals, log);
  if (!started.ok()) return started.status();
  StorageService* const storage = started->storage.get();  // null: nothing is kept
  if (storage != nullptr) storage->Start();

  // Blocks and votes come in by RPC, are checked and imported by the chain service, and go out to the network.
  RealClock clock;
  const SlotClock slots(genesis.state->config.genesis_time, network->spec.slot_duration_ms);
  OutboundChannel outbound(kOutboundItems);
  SyncBoard sync_board;
  const auto sync_inbox = std::make_shared<SyncInbox>();
  ChainService chain_service(
      std::move(started->chain),
      std::make_unique<SignatureVerifier>(network->scheme, genesis.state->validators, SignatureVerifierOptions()),
      {.clock = clock,
       .slot_clock = slots,
       .outbound = outbound,
       .log = log,
       .observer = storage,
       .want = [sync_inbox](const WantedRoot& wanted) { sync_inbox->Want(wanted); }},
      ChainOptions(storage != nullptr));
  chain_service.Start();
  const std::unique_ptr<const BlockSource> blocks = MakeBlockSource(chain_service, started->database.get(), log);
  absl::StatusOr<std::unique_ptr<NetworkService>> network_service =
      NetworkService::Start(*network_options, {.chain = chain_service,
                                               .blocks = *blocks,
                                               .outbound = outbound,
                                               .clock = clock,
                                               .genesis = genesis,
                                               .spec = network->spec,
                                               .synced = [&sync_board] { return sync_board.Get().synced; },
                                               .log = log});
  if (!network_service.ok()) return network_service.status();
  std::unique_ptr<Backfill> backfill;
  if (storage != nullptr) {
    backfill =
        std::make_unique<Backfill>(*started->database, **network_service,
                                   SignatureCheck(network->scheme, genesis.state->validators), log, BackfillOptions());
    backfill->Start();
  }
  SyncService sync_service(
      {.chain = chain_service,
       .peers = **network_service,
       .clock = clock,
       .inbox = sync_inbox,
       .board = sync_board,
       .log = log},
      SyncServiceOptions::For(network->spec.slot_duration_ms, network_options->peers.size(), std::random_device()()));
  sync_service.Start();
  const ServedChain served{.service = chain_service,
                           .blocks = *blocks,
                           .clock = clock,
                           .slots = slots,
                           .spec = network->spec,
                           .genesis = genesis,
                           .sync = [&sync_board] { return sync_board.Get(); },
                           .peers = network_service->get(),
                           .kept = KeptBy(started->database.get(), storage, log)};

  absl::StatusOr<std::unique_ptr<RpcService>> rpc_service = RpcService::Start(
      served, {.node_name = options.name, .server = {.address = options.rpc_address, .tls = options.tls, .log = log}});
  if (!rpc_service.ok()) return rpc_service.status();
  const auto registry = std::make_shared<metrics::Registry>();
  const BeaconMetrics metrics(*registry, {.chain = chain_service,
                                          .network = **network_service,
                                          .sync = [&sync_board] { return sync_board.Get(); },
                                          .database = started->database.get(),
                                          .storage = storage});
  const absl::StatusOr<std::unique_ptr<metrics::MetricsServer>> metrics_server =
      metrics::MetricsServer::StartIfAsked(options.metrics_address, registry, *log);
  if (!metrics_server.ok()) return metrics_server.status();
  LogStart(options, served, (*rpc_service)->address(), *log);
  if (storage != nullptr) {
    storage->WatchHealth([&](const absl::Status& health) { (*rpc_service)->SetServing(health.ok()); });
  }
  sync_board.Watch([&](const SyncStatus& sync) { (*rpc_service)->SetDutiesServed(sync.synced); });

  const char* signal = signals.Wait();
  log->info("beacon_stopping signal={}", signal);
  if (storage != nullptr) storage->WatchHealth(nullptr);
  sync_board.Watch(nullptr);
  (*rpc_service)->Stop();
  sync_service.Stop();
  chain_service.Stop();
  if (backfill != nullptr) backfill->Stop();
  (*network_service)->Stop();
  if (storage != nullptr) storage->Stop();
  log->info("beacon_stopped name={}", options.name);
  return absl::OkStatus();
}

}  // namespace lean::beacon
