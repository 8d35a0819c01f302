// A fresh node that syncs from a stored chain: the real SyncService, ChainService and storage, on one thread and in
// virtual time. Only the network between the two is left out.
#ifndef LEAN_TESTS_SIMULATION_SYNCING_NODE_H_
#define LEAN_TESTS_SIMULATION_SYNCING_NODE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "beacon/services/chain_service.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/storage_service.h"
#include "beacon/sync/sync_context.h"
#include "beacon/sync/sync_service.h"
#include "beacon/sync/sync_status.h"
#include "common/clock/clock.h"
#include "common/clock/manual_clock.h"
#include "common/config/genesis.h"
#include "tests/beacon/storage/stored_chain.h"

namespace lean::simulation {

class SyncingNode {
 public:
  // Its data is in `folder`, which is empty, on the disk `env`. `other` is the chain of its only peer, which answers by
  // range, at most as much at a time as a beacon does. All but `folder` outlive the node.
  SyncingNode(const Genesis& genesis, const std::string& folder, rocksdb::Env* env, beacon::StoredChain& other);
  ~SyncingNode();
  SyncingNode(const SyncingNode&) = delete;
  SyncingNode& operator=(const SyncingNode&) = delete;

  // Syncs until the node has the head of its peer. DeadlineExceeded: it has imported nothing for a minute of its time.
  absl::Status Sync(const std::function<void(uint64_t head_slot)>& progress);

  Checkpoint head() const {
    return chain_.Read([](const beacon::LeanChain& chain) { return chain.head(); });
  }
  Checkpoint finalized() const {
    return chain_.Read([](const beacon::LeanChain& chain) { return chain.finalized(); });
  }

 private:
  class Peer;

  const std::unique_ptr<beacon::ChainDatabase> database_;
  ManualClock clock_;
  RealClock disk_clock_;  // of the storage, which waits for a real disk
  const std::shared_ptr<spdlog::logger> log_;
  beacon::StorageService storage_;
  beacon::OutboundChannel outbound_{1};  // nothing is published
  beacon::SyncBoard board_;
  const std::shared_ptr<beacon::SyncInbox> inbox_ = std::make_shared<beacon::SyncInbox>();
  const std::unique_ptr<Peer> peer_;
  beacon::ChainService chain_;
  std::unique_ptr<beacon::SyncService> sync_;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_SYNCING_NODE_H_
