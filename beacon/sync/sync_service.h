// Keeps the beacon in sync with its peers: finds out who is ahead, fetches what is missing, and decides whether duties
// can be served (docs/sync.md).
#ifndef LEAN_BEACON_SYNC_SYNC_SERVICE_H_
#define LEAN_BEACON_SYNC_SYNC_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beacon/network/peers/peer_view.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/events/event_history.h"
#include "beacon/sync/peer_book.h"
#include "beacon/sync/range/range_sync.h"
#include "beacon/sync/roots/root_requests.h"
#include "beacon/sync/sync_context.h"
#include "beacon/sync/sync_status.h"
#include "common/clock/clock.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct SyncServiceOptions {
  SyncVerdictOptions verdict;
  PeerBookOptions book;
  RangeSyncOptions range;
  RootRequestsOptions roots;
  std::chrono::milliseconds tick{250};  // between updates when nothing happens
  uint64_t seed = 0;                    // for the random choice between equal peers

  // Options for slots of this length. `configured_peers` are expected to connect soon after the start.
  static SyncServiceOptions For(uint64_t slot_duration_ms, size_t configured_peers, uint64_t seed);
};

// What the service works with. All of it outlives the service. ChainService puts missing blocks into the inbox
// (ChainServiceContext::want); `peers` may call back as long as the inbox exists.
struct SyncServiceContext {
  ChainService& chain;
  PeerBlocks& peers;
  Clock& clock;
  std::shared_ptr<SyncInbox> inbox;
  SyncBoard& board;
  std::shared_ptr<spdlog::logger> log;
  // Why there is no connection to the network, for people; empty: there is one.
  std::function<std::string()> network_trouble = [] { return std::string(); };
  EventHistory* events = nullptr;  // for those who watch the sync; may be null
};

// Used by one thread. Works on its own thread.
class SyncService {
 public:
  SyncService(const SyncServiceContext& context, const SyncServiceOptions& options);
  // As Stop().
  ~SyncService();
  SyncService(const SyncService&) = delete;
  SyncService& operator=(const SyncService&) = delete;

  void Start();
  // For one thread that does everything, such as a simulation's, instead of Start: the caller then calls Step every
  // `tick`, and whenever the inbox has content.
  void StartWithoutThread() { Update(); }
  void Step() { Handle(context_.inbox->Take(context_.clock, context_.clock.Steady())); }

  // Joins the thread. To be called before ChainService and the network stop. May be called again.
  void Stop();

 private:
  void Run();
  void Handle(const SyncInbox::Content& content);
  // One update: looks at the peers, starts what is due, and publishes the status.
  void Update();
  std::vector<AheadPeer> PeersAhead(Checkpoint* head, Checkpoint* finalized) const;
  void Publish(SyncVerdict::State state, const std::vector<AheadPeer>& ahead, uint64_t head_slot);
  // Tells those who watch, unless nothing has changed since the last time.
  void TellWatchers(const SyncStatus& status);
  void LogClock(const ClockStatus& clock);

  const SyncServiceContext context_;
  const SyncServiceOptions options_;
  // Used by the thread, and by Start before it.
  PeerBook book_;
  SyncVerdict verdict_;
  RangeSync range_;
  RootSync roots_;
  SyncVerdict::State published_ = SyncVerdict::State::kStarting;
  bool clock_usable_ = true;         // as logged last
  std::optional<SyncChanged> told_;  // to those who watch
  std::thread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_SERVICE_H_
