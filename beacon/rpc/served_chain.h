// What the calls are answered from: the chain, the clock, and what the network is.
#ifndef LEAN_BEACON_RPC_SERVED_CHAIN_H_
#define LEAN_BEACON_RPC_SERVED_CHAIN_H_

#include <cstdint>
#include <functional>

#include "beacon/network/peer_list.h"
#include "beacon/services/chain_service.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"

namespace lean::beacon {

// Thread-safe, as its parts are. Owns none of them: service and clock outlive it.
struct ServedChain {
  ChainService& service;
  const Clock& clock;
  SlotClock slots;
  NetworkSpec spec;
  Genesis genesis;
  // False while the beacon catches up with its peers; duties are refused then.
  std::function<bool()> synced;
  const PeerList* peers = nullptr;  // null: there is no network

  SlotTime Now() const { return slots.At(clock.WallMs()); }
  uint64_t validator_count() const { return genesis.state->validators.size(); }

  // The last slot that can have a block: historical lists are full after it, and so are the keys' leaves used up.
  uint64_t last_slot() const;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_SERVED_CHAIN_H_
