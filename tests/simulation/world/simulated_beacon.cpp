#include "tests/simulation/world/simulated_beacon.h"

#include <chrono>
#include <optional>
#include <utility>

#include "beacon/storage/database/losses.h"
#include "beacon/storage/restore.h"
#include "beacon/storage/stored_block_source.h"
#include "common/status/status_macros.h"
#include "tests/simulation/world/stand_in_signatures.h"

namespace lean::simulation {
namespace {

// Timeouts, and sync when nothing happens.
constexpr Ms kTick = 500;
// StorageOptions::pause.
constexpr Ms kBetweenWrites = 50;

std::unique_ptr<beacon::SignatureVerifier> MakeVerifier(const WorldContext& world) {
  return std::make_unique<beacon::SignatureVerifier>(
      VerifyStandIns, world.genesis.state->validators,
      beacon::SignatureVerifierOptions{.threads = 0, .functions = world.results.VerifierFunctions()});
}

beacon::ChainServiceOptions ChainOptions(bool kept) {
  beacon::ChainServiceOptions options;
  if (kept) options.writer.prune = beacon::kInMemoryBesideDisk;
  return options;
}

}  // namespace

OpenedChain NewChain(const WorldContext& world) {
  return {.chain = beacon::LeanChain::FromAnchor(world.genesis.state, world.genesis.block, {},
                                                 beacon::AnchorHistory::kKnown, world.results.ChainFunctions())
                       .value()};
}

absl::StatusOr<OpenedChain> OpenChain(const WorldContext& world, Clock& clock, const std::string& folder,
                                      rocksdb::Env* env) {
  ASSIGN_OR_RETURN(auto database,
                   beacon::ChainDatabase::OpenOrCreate(
                       {.path = folder, .network = world.spec.name, .min_free_bytes = 0, .env = env}, world.genesis));
  ASSIGN_OR_RETURN(const std::optional<std::string> lost, beacon::LostSinceTip(*database));
  if (lost.has_value()) return absl::DataLossError(*lost);
  ASSIGN_OR_RETURN(beacon::RestoredChain restored, beacon::RestoreChain(*database, clock, *world.log));
  world.log->info("chain_opened folder={} head={} finalized={} snapshot={} replayed={} left_out={} votes={}", folder,
                  restored.chain.head().slot, restored.chain.finalized().slot, restored.snapshot_slot,
                  restored.replayed, restored.left_out, restored.votes);
  auto storage = std::make_unique<beacon::StorageService>(*database, clock, world.log, beacon::StorageOptions());
  return OpenedChain{
      .chain = std::move(restored.chain), .database = std::move(database), .storage = std::move(storage)};
}

SimulatedBeacon::SimulatedBeacon(const WorldContext& world, size_t node, NodeClock& clock, const Behaviour& behaviour,
                                 OpenedChain opened, EngineWatch engine_watch, beacon::EventHistory* events,
                                 std::function<void()> changed)
    : world_(world),
      clock_(clock),
      changed_(std::move(changed)),
      database_(std::move(opened.database)),
      storage_(std::move(opened.storage)),
      outbound_(beacon::OutboundItems(world.genesis.state->validators.size())),
      chain_(std::move(opened.chain), MakeVerifier(world),
             {.clock = clock,
              .slot_clock = world.slots,
              .outbound = outbound_,
              .log = world.log,
              .observer = storage_.get(),
              .want = [inbox = inbox_](const beacon::WantedRoot& wanted) { inbox->Want(wanted); },
              .states = database_.get(),
              .events = events},
             ChainOptions(database_ != nullptr)),
      blocks_(beacon::MakeBlockSource(chain_, database_.get(), clock, world.log)),
      served_{.service = chain_,
              .blocks = *blocks_,
              .clock = clock,
              .slots = world.slots,
              .spec = world.spec,
              .genesis = world.genesis,
              .sync = [this] { return board_.Get(); },
              .events = events == nullptr ? world.events : *events},
      calls_(MakeBeaconCalls(served_)) {
  engine_watch.delivered = [this] { Pump(); };
  network_ = std::make_unique<beacon::Network>(
      [&](beacon::EngineLinkOwner& owner) {
        return std::make_unique<SimulatedEngine>(world.fabric, node, behaviour, owner, engine_watch);
      },
      beacon::NetworkContext{.chain = chain_,
                             .blocks = *blocks_,
                             .outbound = outbound_,
                             .clock = clock,
                             .slot = std::chrono::milliseconds(world.spec.slot_duration_ms),
                             .validators = world.genesis.state->validators.size(),
                             .log = world.log,
                             .events = events,
                             .items = CodecOfReferences()});
  chain_.StartWithoutThreads();
  sync_ = std::make_unique<beacon::SyncService>(
      beacon::SyncServiceContext{.chain = chain_,
                                 .peers = *network_,
                                 .clock = clock,
                                 .inbox = inbox_,
                                 .board = board_,
                                 .log = world.log,
                                 .events = events},
      beacon::SyncServiceOptions::For(world.spec.slot_duration_ms, world.fabric.NeighboursOf(node).size(),
                                      world.seed ^ node));
  sync_->StartWithoutThread();
  ScheduleInterval();
  ScheduleTick();
}

SimulatedBeacon::~SimulatedBeacon() {
  pumping_ = true;  // nothing more is done
  sync_->Stop();
  chain_.Stop();
  network_->Stop();
  // What waits for the disk is lost: a process that ends in good order is tested elsewhere.
}

void SimulatedBeacon::Later(Ms delay, EventLoop::Action action) {
  world_.loop.In(delay, [alive = std::weak_ptr(alive_), action = std::move(action)] {
    if (!alive.expired()) action();
  });
}

void SimulatedBeacon::ScheduleInterval() {
  const int64_t now = clock_.WallMs();
  const SlotTime time = world_.slots.At(now);
  Later(world_.slots.StartMs(time.slot, time.interval + 1) - now, [this] {
    chain_.Tick();
    Pump();
    ScheduleInterval();
  });
}

void SimulatedBeacon::ScheduleTick() {
  Later(kTick, [this] {
    network_->Tick();
    sync_->Step();
    if (storage_ != nullptr) storage_->Step();
    Pump();
    ScheduleTick();
  });
}

void SimulatedBeacon::ScheduleWrite() {
  if (storage_ == nullptr || std::exchange(will_write_, true)) return;
  Later(kBetweenWrites, [this] {
    will_write_ = false;
    storage_->Step();
  });
}

void SimulatedBeacon::Pump() {
  if (network_ == nullptr || sync_ == nullptr || std::exchange(pumping_, true)) return;
  bool worked = true;
  while (worked) {
    worked = false;
    while (chain_.Step() || network_->Step()) worked = true;
    if (inbox_->empty()) continue;
    sync_->Step();
    worked = true;
  }
  pumping_ = false;
  ScheduleWrite();
  changed_();
}

absl::Status SimulatedBeacon::Call(const char* method, const google::protobuf::Message& request,
                                   google::protobuf::Message& response) {
  const absl::Status status = calls_->Call(method, request, response);
  Pump();
  return status;
}

}  // namespace lean::simulation
