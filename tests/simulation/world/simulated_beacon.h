// The beacon of one node: the real parts, without threads, on the simulation's clock, engine, disk and signatures.
#ifndef LEAN_TESTS_SIMULATION_WORLD_SIMULATED_BEACON_H_
#define LEAN_TESTS_SIMULATION_WORLD_SIMULATED_BEACON_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "beacon/network/network.h"
#include "beacon/rpc/served_chain.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/storage_service.h"
#include "beacon/sync/sync_context.h"
#include "beacon/sync/sync_service.h"
#include "beacon/sync/sync_status.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"
#include "common/log/logger.h"
#include "tests/simulation/world/beacon_calls.h"
#include "tests/simulation/world/fabric.h"
#include "tests/simulation/world/shared_results.h"
#include "tests/simulation/world/simulated_engine.h"
#include "tests/simulation/world/virtual_time.h"

namespace lean::simulation {

// What all nodes share.
struct WorldContext {
  EventLoop& loop;
  Fabric& fabric;
  Genesis genesis;
  NetworkSpec spec;
  SlotClock slots;
  beacon::EventHistory& events;  // nobody watches it
  SharedResults& results;
  std::shared_ptr<spdlog::logger> log;
  uint64_t seed = 0;
};

// A chain, and what keeps it on a disk; these are null when it is kept in memory.
struct OpenedChain {
  beacon::LeanChain chain;
  std::unique_ptr<beacon::ChainDatabase> database = nullptr;
  std::unique_ptr<beacon::StorageService> storage = nullptr;
};

// A chain in memory, from genesis.
OpenedChain NewChain(const WorldContext& world);
// The chain of a data folder, which is made if there is none. `clock` and `env` outlive it. DataLoss: the folder has
// less than the beacon knew to be on the disk.
absl::StatusOr<OpenedChain> OpenChain(const WorldContext& world, Clock& clock, const std::string& folder,
                                      rocksdb::Env* env);

class SimulatedBeacon {
 public:
  // All but `opened` and `engine_watch` outlive it. `events`: for those who watch the beacon; may be null. Starts at
  // once; `changed` is called after anything may have changed.
  SimulatedBeacon(const WorldContext& world, size_t node, NodeClock& clock, const Behaviour& behaviour,
                  OpenedChain opened, EngineWatch engine_watch, beacon::EventHistory* events,
                  std::function<void()> changed);
  ~SimulatedBeacon();
  SimulatedBeacon(const SimulatedBeacon&) = delete;
  SimulatedBeacon& operator=(const SimulatedBeacon&) = delete;

  // A call of the validator client.
  absl::Status Call(const char* method, const google::protobuf::Message& request, google::protobuf::Message& response);
  // Does all work that waits.
  void Pump();

  const beacon::ChainService& chain() const { return chain_; }
  const beacon::Network& network() const { return *network_; }
  beacon::SyncStatus sync() const { return board_.Get(); }
  // What it serves; refers to it.
  beacon::ServedChain served() const {
    beacon::ServedChain served = served_;
    served.peers = network_.get();
    return served;
  }

 private:
  void ScheduleInterval();
  void ScheduleTick();
  // What the chain has for the disk is written soon.
  void ScheduleWrite();
  void Later(Ms delay, EventLoop::Action action);

  const WorldContext& world_;
  const NodeClock& clock_;
  const std::function<void()> changed_;
  const std::shared_ptr<const char> alive_ = std::make_shared<const char>();
  const std::unique_ptr<beacon::ChainDatabase> database_;
  const std::unique_ptr<beacon::StorageService> storage_;
  beacon::OutboundChannel outbound_;
  beacon::SyncBoard board_;
  const std::shared_ptr<beacon::SyncInbox> inbox_ = std::make_shared<beacon::SyncInbox>();
  beacon::ChainService chain_;
  const std::unique_ptr<const beacon::BlockSource> blocks_;
  std::unique_ptr<beacon::Network> network_;
  std::unique_ptr<beacon::SyncService> sync_;
  const beacon::ServedChain served_;
  const std::unique_ptr<BeaconCalls> calls_;
  bool pumping_ = false;
  bool will_write_ = false;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_SIMULATED_BEACON_H_
