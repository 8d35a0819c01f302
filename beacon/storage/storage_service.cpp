#include "beacon/storage/storage_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "beacon/storage/database/schema.h"
#include "beacon/storage/prune.h"
#include "common/status/status_macros.h"

namespace lean::beacon {
namespace {

constexpr size_t kCheckpointsBytes = sizeof(ChainCheckpoints);

}  // namespace

StorageService::StorageService(ChainDatabase& database, Clock& clock, std::shared_ptr<spdlog::logger> log,
                               const StorageOptions& options)
    : database_(database),
      clock_(clock),
      log_(std::move(log)),
      options_(options),
      queue_(clock, options.queue_bytes, options.queue_lag) {
  const auto stored = [&](const char* key) {
    const auto checkpoint = database.ReadCheckpoint(key);
    return checkpoint.ok() && checkpoint->has_value() ? **checkpoint : database.anchor();
  };
  justified_ = stored(meta_key::kJustified);
  tip_ = {.head = stored(meta_key::kHead), .finalized = stored(meta_key::kFinalized)};
  written_tip_ = tip_;  // the file may describe a longer chain; it is kept until this chain advances
  canonical_slot_ = told_finalized_slot_ = tip_.finalized.slot;
}

StorageService::~StorageService() { Stop(); }

void StorageService::Start() {
  thread_ = std::thread([this] { Run(); });
}

void StorageService::Stop() {
  stop_.request_stop();
  queue_.Close();
  if (thread_.joinable()) thread_.join();
}

void StorageService::BlockImported(const Root& root, const SignedBlockPtr& block, const StatePtr& post_state,
                                   const VoteMap& known_votes) {
  ImportedBlock imported{.root = root,
                         .block = block,
                         .justified = post_state->latest_justified,
                         .finalized = post_state->latest_finalized};
  if (imported.finalized.slot > told_finalized_slot_) {
    told_finalized_slot_ = imported.finalized.slot;
    imported.history = post_state->historical_block_hashes;
  }
  if (IsSnapshotDue(*post_state, options_.snapshot_slots)) {
    imported.snapshot = post_state;
    imported.votes = known_votes.ToVector();
  }
  queue_.Push(std::move(imported), BytesOf(*block));
}

void StorageService::VoteAccepted(const SignedVotePtr& vote) { queue_.Push(vote, BytesOf(*vote)); }

void StorageService::CheckpointsChanged(const ChainCheckpoints& checkpoints) {
  queue_.Push(checkpoints, kCheckpointsBytes);
}

absl::Status StorageService::CanAccept() const {
  RETURN_IF_ERROR(Health());
  if (!queue_.full()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the disk is slow: ", queue_.items(), " items with ",
                                                   queue_.bytes() >> 10, " KiB wait to be written; try again"));
}

absl::Status StorageService::Health() const {
  MutexLock lock(mutex_);
  return health_;
}

metrics::Footprint StorageService::queue() const {
  const size_t votes = votes_waiting_;
  return {.name = "storage", .items = queue_.items() + votes, .bytes = queue_.bytes() + votes * kHeldVoteBytes};
}

void StorageService::SetHealth(absl::Status health) {
  MutexLock lock(mutex_);
  health_ = std::move(health);
  if (health_changed_) health_changed_(health_);
}

void StorageService::WatchHealth(std::function<void(const absl::Status&)> changed) {
  MutexLock lock(mutex_);
  health_changed_ = std::move(changed);
  if (health_changed_) health_changed_(health_);
}

bool StorageService::WaitToRetry() { return clock_.WaitUntil(clock_.Steady() + options_.retry, stop_.get_token()); }

void StorageService::Run() {
  while (const std::optional<std::vector<StorageItem>> items = queue_.Take(options_.batch_bytes, options_.check)) {
    const SteadyTime begin = clock_.Steady();
    const bool written = Write(Prepare(*items));
    if (written) Finish();
    queue_.Done();
    if (written) {
      clock_.WaitUntil(begin + options_.pause, stop_.get_token());
      continue;
    }
    if (items->empty() && queue_.items() == 0) return;
    log_->error(
        "storage_lost items={} message=\"the disk still failed when the beacon stopped; the blocks are fetched again "
        "from peers\"",
        items->size() + queue_.items());
    return;
  }
  WriteSet writes;
  PutWaitingVotes(SteadyTime::max(), writes);
  if (!writes.empty()) Write(writes);
  WriteTip(/*last=*/true);
}

bool StorageService::Step() {
  const SteadyTime now = clock_.Steady();
  if (!unwritten_.has_value()) {
    const std::optional<std::vector<StorageItem>> items = queue_.Take(options_.batch_bytes, std::chrono::seconds(0));
    if (!items.has_value()) return false;
    WriteSet writes = Prepare(*items);
    if (items->empty() && writes.empty()) return false;
    unwritten_ = std::move(writes);
  } else if (now < retry_at_) {
    return false;
  }
  if (!TryWrite(*unwritten_)) {
    retry_at_ = now + options_.retry;
    return false;
  }
  unwritten_ = std::nullopt;
  Finish();
  queue_.Done();
  return true;
}

void StorageService::Finish() {
  WriteTip(/*last=*/false);
  DropOld();
}

WriteSet StorageService::Prepare(const std::vector<StorageItem>& items) {
  WriteSet writes;
  const ChainCheckpoints* checkpoints = nullptr;
  const HistoricalBlockHashes* history = nullptr;  // of the newest finalization
  std::vector<const ImportedBlock*> blocks;
  for (const StorageItem& item : items) {
    if (const auto* block = std::get_if<ImportedBlock>(&item)) {
      ChainDatabase::PutBlock(writes, block->root, block->block);
      ForgetVotesIn(*block->block);
      blocks.push_back(block);
      if (block->justified.slot > justified_.slot) justified_ = block->justified;
      if (block->history.has_value()) {
        Finalize(*block, writes);
        history = &*block->history;
      }
      for (const SignedVotePtr& vote : block->votes) {
        const auto written = vote_slots_.find(vote->message.validator_id);
        if (written == vote_slots_.end() || written->second < vote->message.data.slot) PutVote(*vote, writes);
      }
    } else if (const auto* vote = std::get_if<SignedVotePtr>(&item)) {
      AddVote(*vote);
    } else {
      checkpoints = &std::get<ChainCheckpoints>(item);
    }
  }
  // Often enough for the wait, and not for every batch: it takes a step for each validator.
  if (const SteadyTime now = clock_.Steady(); now - votes_checked_ >= options_.vote_wait / 8) {
    PutWaitingVotes(now - options_.vote_wait, writes);
    votes_checked_ = now;
  }
  votes_waiting_ = waiting_votes_.size();
  for (const ImportedBlock* block : blocks) {
    const Checkpoint id{.root = block->root, .slot = block->block->message.block.slot};
    const bool above = id.slot > canonical_slot_;
    const bool finalized = !above && history != nullptr && id.slot < history->size() && (*history)[id.slot] == id.root;
    if (above) ChainDatabase::PutParent(writes, id, block->block->message.block.parent_root);
    if (block->snapshot != nullptr && (above || finalized)) {
      ChainDatabase::PutSnapshot(writes, id, *block->snapshot);
    }
  }
  if (!blocks.empty()) ChainDatabase::PutCheckpoint(writes, meta_key::kJustified, justified_);
  if (checkpoints != nullptr) {
    ChainDatabase::PutCheckpoint(writes, meta_key::kHead, checkpoints->head);
    tip_.head = checkpoints->head;
  }
  return writes;
}

void StorageService::AddVote(const SignedVotePtr& vote) {
  // Votes come in any order. Only the newest of a validator counts.
  const uint64_t slot = vote->message.data.slot;
  const auto written = vote_slots_.find(vote->message.validator_id);
  if (written != vote_slots_.end() && slot <= written->second) return;
  const auto [waiting, is_first] = waiting_votes_.try_emplace(vote->message.validator_id);
  if (is_first) {
    waiting->second.since = clock_.Steady();
  } else if (slot <= waiting->second.vote->message.data.slot) {
    return;
  }
  waiting->second.vote = vote;
}

void StorageService::ForgetVotesIn(const SignedBlockWithAttestation& block) {
  for (const Attestation& vote : block.message.block.body.attestations) {
    const auto waiting = waiting_votes_.find(vote.validator_id);
    if (waiting == waiting_votes_.end()) continue;
    if (waiting->second.vote->message.data.slot <= vote.data.slot) waiting_votes_.erase(waiting);
  }
}

void StorageService::PutWaitingVotes(SteadyTime until, WriteSet& writes) {
  absl::erase_if(waiting_votes_, [&](const auto& waiting) {
    if (waiting.second.since > until) return false;
    PutVote(*waiting.second.vote, writes);
    return true;
  });
}

void StorageService::PutVote(const SignedAttestation& vote, WriteSet& writes) {
  ChainDatabase::PutVote(writes, vote);
  vote_slots_[vote.message.validator_id] = vote.message.data.slot;
}

void StorageService::Finalize(const ImportedBlock& block, WriteSet& writes) {
  const Checkpoint& finalized = block.finalized;
  for (uint64_t slot = canonical_slot_; slot <= finalized.slot; ++slot) {
    const Root& root = (*block.history)[slot];
    if (!root.IsZero()) ChainDatabase::PutCanonical(writes, {.root = root, .slot = slot});
  }
  ChainDatabase::PutCheckpoint(writes, meta_key::kFinalized, finalized);
  absl::Status status = database_.DropBranches(writes, canonical_slot_ + 1, finalized, *block.history);
  if (!status.ok()) log_->warn("branches_not_dropped message=\"{}\"", std::string(status.message()));
  canonical_slot_ = finalized.slot;
  tip_.finalized = finalized;
}

bool StorageService::Write(const WriteSet& writes) {
  bool stopping = false;
  while (!TryWrite(writes)) {
    if (stopping) return false;
    stopping = !WaitToRetry();
  }
  return true;
}

bool StorageService::TryWrite(const WriteSet& writes) {
  absl::Status status = disk_fails_ ? database_.files().Recover() : absl::OkStatus();
  if (status.ok()) status = database_.files().Write(writes);
  if (!status.ok()) {
    if (!std::exchange(disk_fails_, true)) {
      log_->error("storage_failed message=\"{}; nothing is accepted until the disk takes writes\"",
                  std::string(status.message()));
    }
    SetHealth(absl::UnavailableError(status.message()));
    return false;
  }
  if (std::exchange(disk_fails_, false)) {
    SetHealth(absl::OkStatus());
    log_->info("storage_recovered bytes={}", writes.bytes());
  }
  return true;
}

void StorageService::WriteTip(bool last) {
  const auto now = clock_.Steady();
  if (tip_ == written_tip_ || (now < tip_due_ && !last)) return;
  const absl::Status status = WriteChainTip(database_.folder(), tip_);
  tip_due_ = now + options_.tip;
  if (status.ok()) written_tip_ = tip_;
  if (!status.ok() && !tip_failed_) {
    log_->warn("chain_tip_not_written message=\"{}; data that the database loses from now on is not noticed\"",
               std::string(status.message()));
  }
  tip_failed_ = !status.ok();
}

void StorageService::DropOld() {
  if (!options_.keep_slots.has_value()) return;
  const auto first_kept = DropOldBlocks(database_, canonical_slot_, *options_.keep_slots);
  if (absl::IsCancelled(first_kept.status())) return;
  if (!first_kept.ok()) {
    log_->warn("blocks_not_dropped message=\"{}\"", std::string(first_kept.status().message()));
  } else if (first_kept->has_value()) {
    log_->info("blocks_dropped below={} finalized={}", **first_kept, canonical_slot_);
  }
}

}  // namespace lean::beacon
