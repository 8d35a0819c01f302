// A beacon's network, as the rest of the beacon knows it: blocks of peers, who they are, and what is counted.
#ifndef LEAN_BEACON_NETWORK_NETWORK_H_
#define LEAN_BEACON_NETWORK_NETWORK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "beacon/network/peer_blocks.h"
#include "beacon/network/peer_list.h"
#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/outbound.h"
#include "common/clock/clock.h"
#include "common/config/genesis.h"
#include "common/config/network_spec.h"
#include "common/log/logger.h"
#include "common/rpc/address.h"

namespace lean::beacon {

// What a network works with; all of it outlives it. Callbacks of `chain` may still come until that is stopped, so it
// is stopped first.
struct NetworkContext {
  ChainService& chain;
  const BlockSource& blocks;
  OutboundChannel& outbound;
  Clock& clock;
  const Genesis& genesis;
  const NetworkSpec& spec;
  std::function<bool()> synced;  // what we say of ourselves
  std::shared_ptr<spdlog::logger> log;
};

// Since the start.
struct NetworkCounts {
  Traffic traffic;                                    // of all peers, those that have gone included
  uint64_t duplicates = 0;                            // items that came in again
  std::array<uint64_t, kOffences.size()> offences{};  // by Offence
  uint64_t bans = 0;
  bool engine_connected = false;  // there is a network engine, and it answers
  uint64_t engine_restarts = 0;   // how often it was lost

  uint64_t Of(Offence offence) const { return offences[static_cast<size_t>(offence)]; }
};

// Runs until Stop. Thread-safe, except for Stop.
class Network : public PeerBlocks, public PeerList {
 public:
  // Closes the outbound channel, and ends links and threads. May be called again.
  virtual void Stop() = 0;
  // Where it listens for peers itself; nullopt: nowhere.
  virtual std::optional<rpc::Address> listener() const = 0;
  virtual NetworkCounts counts() const = 0;
  // Why nothing can be sent or heard at the moment, for people; empty: all is well.
  virtual std::string trouble() const = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_NETWORK_H_
