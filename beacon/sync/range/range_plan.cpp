#include "beacon/sync/range/range_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "beacon/chain/chain_types.h"
#include "common/ssz/ssz.h"

namespace lean::beacon {
namespace {

size_t TotalBytes(const std::vector<SignedBlockPtr>& blocks) {
  size_t bytes = 0;
  for (const SignedBlockPtr& block : blocks) bytes += BytesOf(*block);
  return bytes;
}

// Each block builds on the one before.
absl::Status CheckChain(const std::vector<SignedBlockPtr>& blocks) {
  for (size_t i = 1; i < blocks.size(); ++i) {
    const Block& block = blocks[i]->message.block;
    const Block& below = blocks[i - 1]->message.block;
    if (block.slot <= below.slot || block.parent_root != ssz::HashTreeRoot(below)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the block of slot ", block.slot, " does not build on that of slot ", below.slot));
    }
  }
  return absl::OkStatus();
}

}  // namespace

RangePlan::RangePlan(uint64_t first, uint64_t last, std::optional<uint64_t> only_peer, const RangePlanOptions& options)
    : options_(options), first_(first), last_(last), only_peer_(only_peer), next_slot_(first) {}

void RangePlan::OpenBatches() {
  while (batches_.size() < options_.window && next_slot_ <= last_) {
    Batch batch;
    batch.first = batch.next = next_slot_;
    batch.end = std::min(next_slot_ + options_.batch_slots, last_ + 1);
    next_slot_ = batch.end;
    batches_.push_back(std::move(batch));
  }
}

bool RangePlan::CanServe(const PeerInfo& peer, const Batch& batch) const {
  return (!only_peer_.has_value() || peer.id == *only_peer_) && peer.serves_range && peer.head.slot >= batch.next &&
         peer.earliest_slot <= batch.next;
}

bool RangePlan::IsStuck(const std::vector<PeerInfo>& peers) const {
  if (out_.has_value() || batches_.empty()) return false;
  const Batch& batch = batches_.front();
  if (batch.complete() || !batch.asked.empty() || !batch.answers.empty()) return false;
  return std::none_of(peers.begin(), peers.end(), [&](const PeerInfo& peer) { return CanServe(peer, batch); });
}

std::vector<RangePlan::Ask> RangePlan::Next(const std::vector<PeerInfo>& peers,
                                            const std::function<bool(uint64_t)>& reserve, SteadyTime now) {
  OpenBatches();
  std::vector<Ask> asks;
  for (Batch& batch : batches_) {
    const bool is_next = &batch == &batches_.front();
    if (batch.complete()) continue;
    if (!is_next && bytes_held_ >= options_.max_bytes_held) break;
    // The next batch blocks all others, so a second peer is asked when the first is slow.
    const bool is_late = is_next && now - batch.asked_at >= options_.patience;
    if (!batch.asked.empty() && !is_late) continue;
    const auto peer = std::find_if(peers.begin(), peers.end(), [&](const PeerInfo& info) {
      return CanServe(info, batch) && !batch.asked.contains(info.id) && !batch.tried.contains(info.id) &&
             reserve(info.id);
    });
    if (peer == peers.end()) {
      if (batch.asked.empty()) batch.tried.clear();  // peers that have failed are asked again
      continue;
    }
    batch.asked.insert(peer->id);
    batch.asked_at = now;
    asks.push_back({.peer = peer->id, .first_slot = batch.next, .count = batch.end - batch.next});
  }
  return asks;
}

RangePlan::Batch* RangePlan::FindBatch(uint64_t peer, uint64_t first_slot) {
  const auto found = std::find_if(batches_.begin(), batches_.end(), [&](const Batch& batch) {
    return batch.next == first_slot && !batch.complete() && batch.asked.contains(peer);
  });
  return found == batches_.end() ? nullptr : &*found;
}

absl::Status RangePlan::Answered(uint64_t peer, uint64_t first_slot, std::vector<SignedBlockPtr> blocks) {
  Batch* batch = FindBatch(peer, first_slot);
  if (batch == nullptr) return absl::OkStatus();
  if (absl::Status status = CheckChain(blocks); !status.ok()) {
    Failed(peer, first_slot);
    return status;
  }
  batch->asked.clear();
  batch->next = blocks.empty() ? batch->end : blocks.back()->message.block.slot + 1;
  if (blocks.empty()) {
    if (first_slot == batch->first) silent_peers_.insert(peer);
    return absl::OkStatus();
  }
  bytes_held_ += TotalBytes(blocks);
  batch->answers.push_back({.peer = peer, .blocks = std::move(blocks)});
  return absl::OkStatus();
}

void RangePlan::Failed(uint64_t peer, uint64_t first_slot) {
  Batch* batch = FindBatch(peer, first_slot);
  if (batch == nullptr) return;
  batch->asked.erase(peer);
  batch->tried.insert(peer);
}

size_t RangePlan::blocks_held() const {
  size_t blocks = 0;
  for (const Batch& batch : batches_) {
    for (const Ready& answer : batch.answers) blocks += answer.blocks.size();
  }
  return blocks;
}

void RangePlan::Reset(Batch& batch) {
  for (const Ready& answer : batch.answers) bytes_held_ -= TotalBytes(answer.blocks);
  batch.answers.clear();
  batch.asked.clear();
  batch.next = batch.first;
}

std::optional<RangePlan::Ready> RangePlan::Take() {
  while (!out_.has_value() && !batches_.empty()) {
    Batch& batch = batches_.front();
    if (!batch.answers.empty()) {
      Ready ready = std::move(batch.answers.front());
      batch.answers.pop_front();
      bytes_held_ -= TotalBytes(ready.blocks);
      batch.first = ready.blocks.back()->message.block.slot + 1;
      out_ = Out{.peer = ready.peer, .first_slot = ready.blocks.front()->message.block.slot};
      return ready;
    }
    if (!batch.complete()) break;
    batches_.pop_front();
  }
  return std::nullopt;
}

void RangePlan::Refetch() {
  if (!out_.has_value()) return;
  const uint64_t peer = out_->peer;
  batches_.front().first = out_->first_slot;
  Reset(batches_.front());
  batches_.front().tried.insert(peer);
  out_.reset();
  for (Batch& batch : batches_) {
    const bool has_its_blocks = std::any_of(batch.answers.begin(), batch.answers.end(),
                                            [&](const Ready& answer) { return answer.peer == peer; });
    if (!has_its_blocks) continue;
    Reset(batch);
    batch.tried.insert(peer);
  }
}

}  // namespace lean::beacon
