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
  // The network has blamed the peer.
  if (absl::IsDeadlineExceeded(status) || absl::IsDataLoss(status)) {
    context.book.Disbelieve(peer, context.clock.Steady());
  }
}

bool WaitsForOtherBranch(const SubmitOutcome& outcome) {
  return outcome.status == SubmitOutcome::kQueued && outcome.reason == reason::kUnknownBlock;
}

bool IsFaultOfSender(const SubmitOutcome& outcome) {
  // The clock of others may already be in that slot.
  return outcome.status == SubmitOutcome::kRefused && outcome.reason != reason::kStale &&
         outcome.reason != reason::kFutureSlot && outcome.reason != reason::kQueueFull;
}

void SyncInbox::Want(const WantedRoot& wanted) {
  std::stop_source wake;
  {
    MutexLock lock(mutex_);
    if (closed_ || content_.wanted.size() >= kMaxWanted) return;
    content_.wanted.push_back(wanted);
    wake = wake_;
  }
  wake.request_stop();
}

void SyncInbox::Push(Event event) {
  std::stop_source wake;
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    content_.events.push_back(std::move(event));
    wake = wake_;
  }
  wake.request_stop();
}

SyncInbox::Content SyncInbox::Take(Clock& clock, SteadyTime until) {
  std::stop_token woken;
  {
    MutexLock lock(mutex_);
    if (!closed_ && content_.wanted.empty() && content_.events.empty()) {
      wake_ = std::stop_source();
      woken = wake_.get_token();
    }
  }
  if (woken.stop_possible()) clock.WaitUntil(until, woken);
  MutexLock lock(mutex_);
  return std::exchange(content_, {});
}

bool SyncInbox::empty() const {
  MutexLock lock(mutex_);
  return content_.wanted.empty() && content_.events.empty();
}

void SyncInbox::Close() {
  std::stop_source wake;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    content_ = {};
    wake = wake_;
  }
  wake.request_stop();
}

bool SyncInbox::closed() const {
  MutexLock lock(mutex_);
  return closed_;
}

}  // namespace lean::beacon
