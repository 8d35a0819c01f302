#include "beacon/network/send_queue.h"

#include <algorithm>

namespace lean::beacon {
namespace {

constexpr size_t kSlots = 2;  // whose votes may wait

}  // namespace

SendQueue::Limits SendQueue::Limits::For(size_t validators) {
  Limits limits;
  limits.votes = std::max(limits.votes, kSlots * validators);
  return limits;
}

bool SendQueue::PushBlock(OutgoingItem block) {
  const size_t bytes = block.bytes->size();
  if (!blocks_.empty() && (blocks_.size() >= limits_.blocks || block_bytes_ + bytes > limits_.block_bytes)) {
    return false;
  }
  block_bytes_ += bytes;
  blocks_.push_back(std::move(block));
  return true;
}

size_t SendQueue::PushVote(OutgoingItem vote) {
  votes_.push_back(std::move(vote));
  if (votes_.size() <= limits_.votes) return 0;
  votes_.pop_front();
  return 1;
}

}  // namespace lean::beacon
