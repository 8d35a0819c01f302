#include "beacon/sync/backfill.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "beacon/services/checks/edge_checks.h"
#include "beacon/storage/database/schema.h"
#include "common/concurrency/mutex.h"
#include "common/ssz/ssz.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

// Nice value of the thread, which uses spare processor time only.
constexpr int kNice = 10;
// Signatures checked together.
constexpr size_t kBatch = 64;
// Roots per request to a peer that does not serve ranges.
constexpr size_t kRootsAtOnce = 16;

}  // namespace

CheckSignatures SignatureCheck(const crypto::SignatureScheme& scheme, const Validators& registry) {
  return [scheme, &registry](const SignedBlockWithAttestation& block, const std::stop_token& stop) -> absl::Status {
    if (const auto refusal = CheckBlockAtEdge(block, ssz::HashTreeRoot(block.message.block), registry.size())) {
      return absl::InvalidArgumentError(refusal->message);
    }
    const Attestations& votes = block.message.block.body.attestations;
    for (size_t first = 0; first <= votes.size(); first += kBatch) {
      if (stop.stop_requested()) return absl::CancelledError("not all signatures were checked");
      std::vector<crypto::VerificationItem> items;
      for (size_t i = first; i < std::min(votes.size() + 1, first + kBatch); ++i) {
        const Attestation& vote = i < votes.size() ? votes[i] : block.message.proposer_attestation;
        items.push_back({.public_key = &registry[vote.validator_id].pubkey,
                         .slot = vote.data.slot,
                         .message = ssz::HashTreeRoot(vote),
                         .signature = &block.signature[i]});
      }
      for (const absl::Status& status : scheme.VerifyBatch(items)) {
        RETURN_IF_ERROR(status);
      }
    }
    return absl::OkStatus();
  };
}

struct Backfill::Answer {
  using Blocks = absl::StatusOr<std::vector<SignedBlockPtr>>;

  void Set(Blocks given) {
    {
      MutexLock lock(mutex_);
      blocks_ = std::move(given);
    }
    came_.Signal();
  }

  // kCancelled: `stop` was requested; kDeadlineExceeded: it did not come in time.
  Blocks Await(Clock& clock, SteadyTime deadline, const std::stop_token& stop) {
    const std::stop_callback stopped(stop, [this] { came_.Signal(); });
    while (came_.WaitUntil(clock, deadline) && !stop.stop_requested()) {
      MutexLock lock(mutex_);
      if (blocks_.has_value()) return *std::exchange(blocks_, std::nullopt);
    }
    if (stop.stop_requested()) return absl::CancelledError("the beacon is stopping");
    return absl::DeadlineExceededError("no answer");
  }

 private:
  Mutex mutex_;
  Wake came_;
  std::optional<Blocks> blocks_ ABSL_GUARDED_BY(mutex_);
};

Backfill::Backfill(ChainDatabase& database, PeerBlocks& peers, CheckSignatures check, Clock& clock,
                   std::shared_ptr<spdlog::logger> log, const BackfillOptions& options)
    : database_(database),
      peers_(peers),
      check_(std::move(check)),
      clock_(clock),
      log_(std::move(log)),
      options_(options) {}

Backfill::~Backfill() { Stop(); }

void Backfill::Start() {
  const absl::StatusOr<uint64_t> oldest = database_.OldestSlot();
  const absl::StatusOr<uint64_t> floor = database_.FloorSlot();
  if (!oldest.ok() || !floor.ok() || *oldest <= *floor) return;
  thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

void Backfill::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool Backfill::Wait(std::chrono::nanoseconds time) {
  clock_.WaitUntil(clock_.Steady() + time, stop_);
  return !stop_.stop_requested();
}

void Backfill::Run(std::stop_token stop) {
  stop_ = std::move(stop);
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  started_ = told_ = clock_.Steady();
  while (true) {
    const absl::StatusOr<uint64_t> oldest = database_.OldestSlot();
    const absl::StatusOr<uint64_t> floor = database_.FloorSlot();
    if (!oldest.ok() || !floor.ok()) {
      if (!Wait(options_.wait)) return;
      continue;
    }
    floor_ = *floor;
    Tell(*oldest, *oldest <= floor_);
    if (*oldest <= floor_) return;
    const uint64_t first = *oldest - std::min(*oldest - floor_, options_.slots_at_once);
    if (!FillRange(first, *oldest)) return;
  }
}

bool Backfill::FillRange(uint64_t first, uint64_t end) {
  while (true) {
    const absl::StatusOr<std::vector<Checkpoint>> missing = Missing(first, end);
    if (missing.ok() && missing->empty()) {
      WriteSet writes;
      ChainDatabase::PutOldestSlot(writes, first);
      if (database_.files().Write(writes).ok()) return true;
    }
    const std::optional<PeerInfo> peer =
        missing.ok() && !missing->empty() ? ChoosePeer(missing->front().slot) : std::nullopt;
    if (!peer.has_value()) {  // the disk has failed, or no peer has the blocks
      Tell(end, /*done=*/false);
      if (!Wait(options_.wait)) return false;
      continue;
    }
    const SteadyTime start = clock_.Steady();
    const auto filled = FillFrom(*peer, *missing, end);
    if (!filled.ok() || filled->empty()) failed_[peer->id] = clock_.Steady() + options_.wait;
    if (!filled.ok())
      log_->debug("backfill_failed peer={} message=\"{}\"", peer->id, std::string(filled.status().message()));
    Tell(end, /*done=*/false);
    if (!Wait((clock_.Steady() - start) * options_.rest)) return false;
  }
}

absl::StatusOr<std::vector<Checkpoint>> Backfill::Missing(uint64_t first, uint64_t end) const {
  ASSIGN_OR_RETURN(const uint64_t floor, database_.FloorSlot());
  std::vector<Checkpoint> missing;
  for (uint64_t slot = std::max(first, floor); slot < end; ++slot) {
    ASSIGN_OR_RETURN(const auto root, database_.CanonicalRoot(slot));
    if (!root.has_value()) continue;
    const Checkpoint id{.root = *root, .slot = slot};
    ASSIGN_OR_RETURN(const auto held, database_.SlotOf(id.root));
    if (!held.has_value()) missing.push_back(id);
  }
  return missing;
}

std::optional<PeerInfo> Backfill::ChoosePeer(uint64_t slot) {
  const SteadyTime now = clock_.Steady();
  std::erase_if(failed_, [&](const auto& entry) { return entry.second <= now; });
  std::optional<PeerInfo> best;
  for (const PeerInfo& peer : peers_.Peers()) {
    if (peer.earliest_slot > slot || peer.finalized.slot < slot || failed_.contains(peer.id)) continue;
    if (!best.has_value() || peer.requests_open < best->requests_open) best = peer;
  }
  return best;
}

absl::StatusOr<std::vector<SignedBlockPtr>> Backfill::Ask(const PeerInfo& peer, const std::vector<Checkpoint>& missing,
                                                          uint64_t end) {
  const auto answer = std::make_shared<Answer>();
  const auto done = [answer](Answer::Blocks blocks) { answer->Set(std::move(blocks)); };
  if (peer.serves_range) {
    // Above its finalized block it may have another branch. ChoosePeer has compared the first slot.
    const uint64_t first = missing.front().slot;
    peers_.BlocksByRange(peer.id, first, std::min(end, peer.finalized.slot + 1) - first, done);
  } else {
    std::vector<Root> roots;
    for (const Checkpoint& id : missing) {
      if (roots.size() < kRootsAtOnce) roots.push_back(id.root);
    }
    peers_.BlocksByRoot(peer.id, std::move(roots), done);
  }
  return answer->Await(clock_, clock_.Steady() + options_.answer, stop_);
}

absl::StatusOr<std::vector<uint64_t>> Backfill::FillFrom(const PeerInfo& peer, const std::vector<Checkpoint>& missing,
                                                         uint64_t end) {
  ASSIGN_OR_RETURN(const std::vector<SignedBlockPtr> blocks, Ask(peer, missing, end));
  WriteSet writes;
  std::vector<uint64_t> slots;
  for (const SignedBlockPtr& block : blocks) {
    const Block& content = block->message.block;
    ASSIGN_OR_RETURN(const auto expected, database_.CanonicalRoot(content.slot));
    const Root root = ssz::HashTreeRoot(content);
    if (expected != root) {
      peers_.Report(peer.id, Offence::kBadAnswer,
                    absl::StrCat("its block of slot ", content.slot, " is not finalized"));
      break;
    }
    if (absl::Status status = check_(*block, stop_); !status.ok()) {
      if (absl::IsCancelled(status)) break;
      peers_.Report(peer.id, Offence::kInvalidItem,
                    absl::StrCat("block of slot ", content.slot, ": ", status.message()));
      break;
    }
    ChainDatabase::PutBlock(writes, root, block);
    slots.push_back(content.slot);
  }
  RETURN_IF_ERROR(database_.files().Write(writes));
  blocks_ += slots.size();
  return slots;
}

void Backfill::Tell(uint64_t oldest, bool done) {
  const SteadyTime now = clock_.Steady();
  if (!done && now - told_ < options_.tell) return;
  told_ = now;
  const double seconds = std::max(std::chrono::duration<double>(now - started_).count(), 0.001);
  if (done) {
    log_->info("backfill_done blocks={} seconds={:.0f}", blocks_, seconds);
  } else {
    log_->info("backfill slots_left={} blocks={} blocks_per_s={:.1f}", oldest - std::min(oldest, floor_), blocks_,
               static_cast<double>(blocks_) / seconds);
  }
}

}  // namespace lean::beacon
