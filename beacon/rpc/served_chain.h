// What the calls are answered from: the chain, the clock, and what the network is.
#ifndef LEAN_BEACON_RPC_SERVED_CHAIN_H_
#define LEAN_BEACON_RPC_SERVED_CHAIN_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "beacon/network/peers/peer_list.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "beacon/sync/sync_status.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"

namespace lean::beacon {

// What keeps the chain beyond memory. Thread-safe; calls may read from a disk.
struct KeptChain {
  bool on_disk = false;
  // OK, or why the disk takes nothing at the moment.
  std::function<absl::Status()> health = [] { return absl::OkStatus(); };
};

// Thread-safe, as its parts are. Owns none of them: service, blocks and clock outlive it.
struct ServedChain {
  ChainService& service;
  const BlockSource& blocks;
  const Clock& clock;
  SlotClock slots;
  NetworkSpec spec;
  Genesis genesis;
  std::function<SyncStatus()> sync;
  const PeerList* peers = nullptr;  // null: there is no network
  KeptChain kept = {};

  SlotTime Now() const { return slots.At(clock.WallMs()); }
  // False while the beacon catches up with its peers; duties are refused then.
  bool synced() const { return sync().synced; }
  uint64_t validator_count() const { return genesis.state->validators.size(); }

  // The last slot that can have a block: historical lists are full after it, and so are the keys' leaves used up.
  uint64_t last_slot() const;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_SERVED_CHAIN_H_
