// What the parts of the sync share: their context, and the inbox of the sync thread.
#ifndef LEAN_BEACON_SYNC_SYNC_CONTEXT_H_
#define LEAN_BEACON_SYNC_SYNC_CONTEXT_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "beacon/network/peers/peer_view.h"
#include "beacon/services/chain_service.h"
#include "beacon/services/submit.h"
#include "beacon/sync/peer_book.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"

namespace lean::beacon {

// What reaches the sync thread from other threads: missing blocks, answers of peers, outcomes of imports. Thread-safe;
// only one thread may call Take. Outlives everybody who may still add something.
class SyncInbox {
 public:
  using Event = std::function<void()>;

  // The most wanted roots that wait. Further ones are dropped: the next item that needs the block names it again.
  static constexpr size_t kMaxWanted = 4096;

  struct Content {
    std::vector<WantedRoot> wanted;
    std::vector<Event> events;
  };

  // Never blocks.
  void Want(const WantedRoot& wanted);
  // `event` runs on the thread that calls Take. Events are bounded by what that thread has requested.
  void Push(Event event);

  // Waits until there is content, Close is called, or the clock reaches `until`; then returns the content.
  Content Take(Clock& clock, SteadyTime until);

  // Whether there is content.
  bool empty() const;

  // Ends every wait, now and later.
  void Close();
  bool closed() const;

 private:
  mutable Mutex mutex_;
  Content content_ ABSL_GUARDED_BY(mutex_);
  std::stop_source wake_ ABSL_GUARDED_BY(mutex_);  // ends the wait under way
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// All of it outlives the parts of the sync, which run on one thread.
struct SyncContext {
  ChainService& chain;
  PeerBlocks& peers;
  Clock& clock;
  std::shared_ptr<SyncInbox> inbox;
  std::shared_ptr<spdlog::logger> log;
  PeerBook& book;
};

// "alpha (10.0.0.2:9000)", or "peer-7" when the peer has disconnected.
std::string PeerName(const PeerBook& book, uint64_t peer);

// Reports the peer to the network, and stops believing its claims for a while.
void Blame(const SyncContext& context, uint64_t peer, Offence offence, const std::string& why);

// Handles a failed request to the peer: decides whether to ask it again.
void HandleFailedRequest(const SyncContext& context, uint64_t peer, const absl::Status& status);

// True when a block waits for a block that its votes name. That one may be on a branch of its own, which comes by root
// and not with the blocks of a range.
bool WaitsForOtherBranch(const SubmitOutcome& outcome);

// True when a block was refused because of its sender, and not because of our own state.
bool IsFaultOfSender(const SubmitOutcome& outcome);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_CONTEXT_H_
