// Keeps the beacon as far as its peers: finds out who is ahead, fetches what is missing, and says whether duties can be
// served. docs/sync.md
#ifndef LEAN_BEACON_SYNC_SYNC_SERVICE_H_
#define LEAN_BEACON_SYNC_SYNC_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "beacon/network/peers/peer_blocks.h"
#include "beacon/services/chain_service.h"
#include "beacon/sync/peer_book.h"
#include "beacon/sync/range/range_sync.h"
#include "beacon/sync/roots/root_sync.h"
#include "beacon/sync/sync_inbox.h"
#include "beacon/sync/sync_status.h"
#include "beacon/sync/sync_verdict.h"
#include "common/clock/clock.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct SyncServiceOptions {
  SyncVerdictOptions verdict;
  PeerBookOptions book;
  RangeSyncOptions range;
  RootRequestsOptions roots;
  std::chrono::milliseconds tick{250};  // how often it looks around when nothing happens
  uint64_t seed = 0;                    // of the choice between equal peers

  // As fits slots of this length. configured_peers: that are expected to be linked soon after the start.
  static SyncServiceOptions For(uint64_t slot_duration_ms, size_t configured_peers, uint64_t seed);
};

// What it works with; all of it outlives the service. The inbox is where the chain service says what is missing
// (ChainServiceContext::want); `peers` may call back as long as the inbox lives.
struct SyncServiceContext {
  ChainService& chain;
  PeerBlocks& peers;
  Clock& clock;
  std::shared_ptr<SyncInbox> inbox;
  SyncBoard& board;
  std::shared_ptr<spdlog::logger> log;
  // Why the network is cut off, for people; empty: it is not.
  std::function<std::string()> network_trouble = [] { return std::string(); };
};

// One thread calls it; the work is done on a thread of its own.
class SyncService {
 public:
  SyncService(const SyncServiceContext& context, const SyncServiceOptions& options);
  // As Stop().
  ~SyncService();
  SyncService(const SyncService&) = delete;
  SyncService& operator=(const SyncService&) = delete;

  void Start();
  // Joins the thread. Before ChainService's and the network's. May be called again.
  void Stop();

 private:
  void Run();
  // One look around.
  void Update();
  std::vector<AheadPeer> PeersAhead(Checkpoint* head, Checkpoint* finalized) const;
  void Publish(SyncVerdict::State state, const std::vector<AheadPeer>& ahead, uint64_t head_slot);
  void LogClock(const ClockStatus& clock);

  const SyncServiceContext context_;
  const SyncServiceOptions options_;
  // The thread's, and Start's before it.
  PeerBook book_;
  SyncVerdict verdict_;
  RangeSync range_;
  RootSync roots_;
  SyncVerdict::State published_ = SyncVerdict::State::kStarting;
  bool clock_usable_ = true;  // as logged last
  std::thread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_SERVICE_H_
