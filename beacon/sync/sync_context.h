// What the parts of the sync work with.
#ifndef LEAN_BEACON_SYNC_SYNC_CONTEXT_H_
#define LEAN_BEACON_SYNC_SYNC_CONTEXT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "beacon/network/peers/peer_blocks.h"
#include "beacon/services/chain_service.h"
#include "beacon/sync/peer_book.h"
#include "beacon/sync/sync_inbox.h"
#include "common/clock/clock.h"
#include "common/log/logger.h"

namespace lean::beacon {

// All of it outlives the parts, which live on one thread.
struct SyncContext {
  ChainService& chain;
  PeerBlocks& peers;
  Clock& clock;
  std::shared_ptr<SyncInbox> inbox;
  std::shared_ptr<spdlog::logger> log;
  PeerBook& book;
};

// "alpha (10.0.0.2:9000)", or "peer-7" when it is gone.
std::string PeerName(const PeerBook& book, uint64_t peer);

// It is reported, and not believed for a while.
void Blame(const SyncContext& context, uint64_t peer, Offence offence, const std::string& why);

// A request to it has failed: what that means for its further ones.
void HandleFailedRequest(const SyncContext& context, uint64_t peer, const absl::Status& status);

// True when a refusal of a block is the fault of whoever answered with it. Others are our own state's.
bool IsFaultOfSender(const SubmitOutcome& outcome);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_SYNC_CONTEXT_H_
