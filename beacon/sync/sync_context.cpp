#include "beacon/sync/sync_context.h"

#include "absl/strings/str_cat.h"

namespace lean::beacon {

std::string PeerName(const PeerBook& book, uint64_t peer) {
  const PeerInfo* info = book.Find(peer);
  return info == nullptr ? absl::StrCat("peer-", peer) : absl::StrCat(info->name, " (", info->address, ")");
}

void Blame(const SyncContext& context, uint64_t peer, Offence offence, const std::string& why) {
  context.log->info("sync_peer_blamed peer={} why=\"{}\"", PeerName(context.book, peer), why);
  context.book.Disbelieve(peer, context.clock.Steady());
  context.peers.Report(peer, offence, why);
}

void HandleFailedRequest(const SyncContext& context, uint64_t peer, const absl::Status& status) {
  context.book.Pause(peer, context.clock.Steady());
  context.log->debug("sync_request_failed peer={} error=\"{}\"", PeerName(context.book, peer), status.ToString());
  // The network has reported it.
  if (absl::IsDeadlineExceeded(status) || absl::IsDataLoss(status)) {
    context.book.Disbelieve(peer, context.clock.Steady());
  }
}

bool IsFaultOfSender(const SubmitOutcome& outcome) {
  // A slot that is in the future by our clock may be none by others'.
  return outcome.status == SubmitOutcome::kRefused && outcome.reason != reason::kStale &&
         outcome.reason != reason::kFutureSlot && outcome.reason != reason::kQueueFull;
}

}  // namespace lean::beacon
