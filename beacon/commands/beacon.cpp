#include "beacon/commands/beacon.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "beacon/network/engine/engine_stream.h"
#include "beacon/network/network.h"
#include "beacon/services/checks/signature_verifier.h"
#include "beacon/storage/stored_block_source.h"
#include "common/bytes/bytes.h"
#include "common/config/network_spec.h"
#include "common/process/log.h"
#include "common/secrets/secret_file.h"
#include "common/status/status_macros.h"
#include "common/version/version.h"

namespace lean::beacon {
namespace {

constexpr int64_t kWarnBeforeEndMs = int64_t{2} * 24 * 60 * 60 * 1000;

absl::Status CheckEngineOption(const std::string& address) {
  if (address.empty()) return absl::OkStatus();
  const absl::Status status = EngineStream::CheckAddress(address);
  return status.ok() ? status : absl::InvalidArgumentError(absl::StrCat("--network-engine: ", status.message()));
}

absl::StatusOr<StartOptions> ReadStartOptions(const BeaconOptions& options, const NetworkSpec& spec) {
  StartOptions kept{.data_dir = options.data_dir,
                    .slot = std::chrono::milliseconds(spec.slot_duration_ms),
                    .network = spec.name,
                    .keep_slots = options.keep_slots,
                    .checkpoint = options.checkpoint,
                    .checkpoint_tls = {},
                    .checkpoint_root = std::nullopt};
  if (!options.checkpoint_tls_ca.empty()) {
    kept.checkpoint_tls = {.server_ca = options.checkpoint_tls_ca, .cert = options.tls.cert, .key = options.tls.key};
  }
  if (options.checkpoint_root.empty()) return kept;
  ASSIGN_OR_RETURN(const Root root, ParseFixedHex<Root>(options.checkpoint_root),
                   absl::InvalidArgumentError(absl::StrCat("--checkpoint-root: ", _.message())));
  kept.checkpoint_root = root;
  return kept;
}

std::unique_ptr<SignatureVerifier> MakeVerifier(const ChainParameters& parameters, const Clock& clock,
                                                BeaconMetrics& metrics) {
  SignatureVerifierOptions options;
  options.seconds = &metrics.chain.signature;
  options.clock = &clock;
  return std::make_unique<SignatureVerifier>(parameters.scheme, parameters.genesis.state->validators, options);
}

void ObserveSizes(const v1::GossipItems& items, BeaconMetrics& metrics) {
  for (const v1::GossipItem& item : items.items()) {
    if (item.has_block()) metrics.gossip_block_bytes.Observe(static_cast<double>(item.block().size()));
    if (item.has_vote()) metrics.gossip_vote_bytes.Observe(static_cast<double>(item.vote().size()));
  }
}

// With a database, memory holds only the newest blocks and states; older ones are read from the database.
ChainServiceOptions ChainOptions(bool kept) {
  ChainServiceOptions options;
  if (kept) options.writer.prune = kInMemoryBesideDisk;
  return options;
}

}  // namespace

// Runs the threads of the chain for as long as it exists.
class Beacon::ChainRun {
 public:
  explicit ChainRun(ChainService& chain) : chain_(chain) { chain_.Start(); }
  ~ChainRun() { chain_.Stop(); }
  ChainRun(const ChainRun&) = delete;
  ChainRun& operator=(const ChainRun&) = delete;

 private:
  ChainService& chain_;
};

// Passes the state of disk, sync and network engine to the health service.
class Beacon::HealthSignals {
 public:
  // `storage` may be null.
  HealthSignals(StorageService* storage, SyncBoard& sync_board, Network& network, RpcService& rpc)
      : storage_(storage), sync_board_(sync_board), network_(network) {
    if (storage_ != nullptr) {
      storage_->WatchHealth([&rpc](const absl::Status& health) { rpc.SetServing(health.ok()); });
    }
    sync_board_.Watch([&rpc](const SyncStatus& sync) { rpc.SetDutiesServed(sync.synced); });
    network_.WatchEngine([&rpc](bool attached) { rpc.SetEngineAttached(attached); });
  }
  ~HealthSignals() {
    if (storage_ != nullptr) storage_->WatchHealth(nullptr);
    sync_board_.Watch(nullptr);
    network_.WatchEngine(nullptr);
  }
  HealthSignals(const HealthSignals&) = delete;
  HealthSignals& operator=(const HealthSignals&) = delete;

 private:
  StorageService* const storage_;
  SyncBoard& sync_board_;
  Network& network_;
};

absl::StatusOr<std::unique_ptr<Beacon>> Beacon::Start(const BeaconOptions& options, Clock& clock, std::stop_token stop,
                                                      const std::shared_ptr<spdlog::logger>& log) {
  if (!IsPlainName(options.name)) {
    return absl::InvalidArgumentError("--name: 1 to 64 letters, digits, '-', '_' or '.'");
  }
  RETURN_IF_ERROR(CheckEngineOption(options.network_engine));
  ASSIGN_OR_RETURN(ChainParameters parameters, ReadChainParameters(options.genesis_dir, *log));
  ASSIGN_OR_RETURN(const StartOptions start_options, ReadStartOptions(options, parameters.spec));
  ASSIGN_OR_RETURN(StartedChain started, StartChain(start_options, parameters.genesis, parameters.scheme, clock,
                                                    std::move(stop), PartLog(log, "storage")));
  std::unique_ptr<Beacon> beacon(new Beacon(options, std::move(parameters), std::move(started), clock, log));
  RETURN_IF_ERROR(beacon->StartParts());
  return beacon;
}

Beacon::Beacon(const BeaconOptions& options, ChainParameters parameters, StartedChain started, Clock& clock,
               const std::shared_ptr<spdlog::logger>& log)
    : options_(options),
      log_(log),
      clock_(clock),
      parameters_(std::move(parameters)),
      slots_(parameters_.genesis.state->config.genesis_time, parameters_.spec.slot_duration_ms),
      registry_(std::make_shared<metrics::Registry>()),
      metrics_(*registry_),
      events_(static_cast<uint64_t>(std::max<int64_t>(clock.WallMs(), 0))),
      database_(std::move(started.database)),
      storage_(std::move(started.storage)),
      outbound_(OutboundItems(parameters_.genesis.state->validators.size())),
      sync_inbox_(std::make_shared<SyncInbox>()),
      chain_(std::move(started.chain), MakeVerifier(parameters_, clock_, metrics_), ChainContext(),
             ChainOptions(storage_ != nullptr)),
      blocks_(MakeBlockSource(chain_, database_.get(), clock_, PartLog(log_, "storage"))) {}

Beacon::~Beacon() = default;

absl::Status Beacon::StartParts() {
  const Genesis& genesis = parameters_.genesis;
  if (storage_ != nullptr) storage_->Start();
  network_ = std::make_unique<Network>(
      options_.network_engine, EngineOverGrpc(options_.network_engine),
      NetworkContext{.chain = chain_,
                     .blocks = *blocks_,
                     .outbound = outbound_,
                     .clock = clock_,
                     .slot = std::chrono::milliseconds(parameters_.spec.slot_duration_ms),
                     .validators = genesis.state->validators.size(),
                     .log = PartLog(log_, "network"),
                     .on_items = [this](const v1::GossipItems& items) { ObserveSizes(items, metrics_); },
                     .events = &events_});
  chain_run_ = std::make_unique<ChainRun>(chain_);
  if (database_ != nullptr) {
    backfill_ =
        std::make_unique<Backfill>(*database_, *network_, SignatureCheck(parameters_.scheme, genesis.state->validators),
                                   clock_, PartLog(log_, "sync"), BackfillOptions());
    backfill_->Start();
  }
  const SyncServiceContext sync_context{.chain = chain_,
                                        .peers = *network_,
                                        .clock = clock_,
                                        .inbox = sync_inbox_,
                                        .board = sync_board_,
                                        .log = PartLog(log_, "sync"),
                                        .network_trouble = [this] { return network_->trouble(); },
                                        .events = &events_};
  sync_ = std::make_unique<SyncService>(
      sync_context,
      SyncServiceOptions::For(parameters_.spec.slot_duration_ms, has_engine() ? 1 : 0, std::random_device()()));
  sync_->Start();
  const auto rpc_log = PartLog(log_, "rpc");
  listeners_ = std::make_unique<rpc::ListenerWatch>(clock_, rpc_log);
  security_ = std::make_unique<rpc::SecurityWatch>(clock_, rpc_log);
  ASSIGN_OR_RETURN(http_, HttpService::Start(Served(), options_.http, rpc_log));
  if (http_ != nullptr) {
    listeners_->Add("http", http_->address());
    security_->Add(http_->tls_files());
  }
  metrics_reader_ =
      std::make_unique<BeaconMetricsReader>(metrics_, MeteredBeacon{.chain = chain_,
                                                                    .network = *network_,
                                                                    .sync = [this] { return sync_board_.Get(); },
                                                                    .rpc = [this] { return open_rpc_.load(); },
                                                                    .events = events_,
                                                                    .listeners = *listeners_,
                                                                    .security = *security_,
                                                                    .log = *log_,
                                                                    .http = http_.get(),
                                                                    .database = database_.get(),
                                                                    .storage = storage_.get()});
  ASSIGN_OR_RETURN(metrics_server_, metrics::MetricsServer::StartIfAsked(options_.metrics_address, registry_, *log_));
  if (metrics_server_ != nullptr) listeners_->Add("metrics", metrics_server_->listener());
  // RPC is last: whoever gets an answer there finds the other ports open.
  ASSIGN_OR_RETURN(rpc_, RpcService::Start(Served(), {.node_name = options_.name,
                                                      .server = {.address = options_.rpc_address,
                                                                 .tls = options_.tls,
                                                                 .insecure = options_.insecure_rpc,
                                                                 .log = rpc_log,
                                                                 .reflection = true}}));
  open_rpc_ = rpc_.get();
  listeners_->Add("rpc", rpc_->address());
  security_->Add(rpc_->server());
  if (const std::string warning = GroupReadableWarning({options_.tls.key, options_.http.tls_key}); !warning.empty()) {
    log_->warn("secrets_open_to_group message=\"{}\"", warning);
  }
  LogStart();
  health_signals_ = std::make_unique<HealthSignals>(storage_.get(), sync_board_, *network_, *rpc_);
  return absl::OkStatus();
}

ChainServiceContext Beacon::ChainContext() {
  return {.clock = clock_,
          .slot_clock = slots_,
          .outbound = outbound_,
          .log = PartLog(log_, "chain"),
          .observer = storage_.get(),
          .want = [inbox = sync_inbox_](const WantedRoot& wanted) { inbox->Want(wanted); },
          .metrics = &metrics_.chain,
          .states = database_.get(),
          .events = &events_};
}

KeptChain Beacon::Kept() const {
  if (database_ == nullptr) return {};
  return {.on_disk = true, .health = [this] { return storage_->Health(); }};
}

ServedChain Beacon::Served() {
  return {.service = chain_,
          .blocks = *blocks_,
          .clock = clock_,
          .slots = slots_,
          .spec = parameters_.spec,
          .genesis = parameters_.genesis,
          .sync = [this] { return sync_board_.Get(); },
          .events = events_,
          .peers = has_engine() ? network_.get() : nullptr,
          .kept = Kept()};
}

void Beacon::LogStart() {
  const ServedChain served = Served();
  log_->info(
      "beacon_started name={} version={} commit={} network={} genesis={} genesis_time={} validators={} slot={} rpc={}",
      options_.name, std::string(Version()), std::string(Commit()), served.spec.name,
      ToHex(served.genesis.block_root.span()), served.genesis.state->config.genesis_time, served.validator_count(),
      served.Now().slot, rpc_address());
  if (const int64_t left_ms = served.slots.StartMs(0, 0) - clock_.WallMs(); left_ms > 0) {
    log_->info(
        "genesis_ahead until={} seconds_left={} message=\"no duties before slot 0\"",
        absl::FormatTime(absl::RFC3339_sec, absl::FromUnixMillis(served.slots.StartMs(0, 0)), absl::UTCTimeZone()),
        left_ms / 1000);
  }
  const int64_t end_ms = served.slots.StartMs(static_cast<int64_t>(served.last_slot()) + 1, 0);
  const int64_t left_ms = end_ms - clock_.WallMs();
  if (left_ms < kWarnBeforeEndMs) {
    log_->warn("chain_ends last_slot={} seconds_left={} message=\"{}\"", served.last_slot(),
               std::max<int64_t>(left_ms, 0) / 1000,
               left_ms > 0 ? "the chain ends by its own limits; start a new network before that"
                           : "the chain has reached its end; start a new network");
  }
}

}  // namespace lean::beacon
