// What the RPC handlers read: the chain, the clock, and the parameters of the network.
#ifndef LEAN_BEACON_RPC_SERVED_CHAIN_H_
#define LEAN_BEACON_RPC_SERVED_CHAIN_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "beacon/network/peers/peer_list.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/events/event_history.h"
#include "beacon/sync/sync_status.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"
#include "common/containers/limits.h"

namespace lean::beacon {

// The storage of the chain. Thread-safe; calls may read from a disk.
struct KeptChain {
  bool on_disk = false;
  // OK, or why the disk takes no writes at the moment.
  std::function<absl::Status()> health = [] { return absl::OkStatus(); };
};

// Thread-safe. References outlive it.
struct ServedChain {
  ChainService& service;
  const BlockSource& blocks;
  const Clock& clock;
  SlotClock slots;
  NetworkSpec spec;
  Genesis genesis;
  std::function<SyncStatus()> sync;
  EventHistory& events;
  const PeerList* peers = nullptr;  // null: there is no network
  KeptChain kept = {};

  SlotTime Now() const { return slots.At(clock.WallMs()); }
  uint64_t validator_count() const { return genesis.state->validators.size(); }

  // The last slot that can have a block. After it the historical lists are full, and the keys' leaves are used up.
  uint64_t last_slot() const {
    // A block at slot s has s earlier slots in its state's lists, and is signed by leaf s of 2^lifetime.
    return std::min(kHistoricalRootsLimit, (uint64_t{1} << spec.xmss_log_lifetime) - 1);
  }
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_SERVED_CHAIN_H_
