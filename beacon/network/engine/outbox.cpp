#include "beacon/network/engine/outbox.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {
namespace {

// Approximate memory of a message and of a verdict besides their bytes on the socket.
constexpr size_t kMessageBytes = 128;
constexpr size_t kVerdictBytes = 48;

size_t MemoryOf(const v1::BeaconToEngine& message) {
  return kMessageBytes + message.ByteSizeLong() +
         kVerdictBytes * static_cast<size_t>(message.verdicts().verdicts_size());
}

bool FitTogether(const v1::BeaconToEngine& a, const v1::BeaconToEngine& b) {
  if (a.has_verdicts()) {
    return a.verdicts().verdicts_size() + b.verdicts().verdicts_size() <= Outbox::kMaxVerdictsInMessage;
  }
  return a.publish().votes_size() + b.publish().votes_size() <= Outbox::kMaxVotesInMessage;
}

}  // namespace

Outbox::Urgency Outbox::UrgencyOf(const v1::BeaconToEngine& message) {
  if (message.has_verdicts()) return kVerdicts;
  if (message.has_answer()) return kAnswers;
  if (message.has_publish()) return message.publish().blocks().empty() ? kVotes : kBlocks;
  return kControl;
}

void Outbox::Push(v1::BeaconToEngine message) {
  const Urgency urgency = UrgencyOf(message);
  std::deque<Waiting>& queue = queues_[urgency];
  size_t bytes = MemoryOf(message);
  bytes_ += bytes;
  if (urgency == kAnswers) answer_bytes_ += bytes;
  if (message.has_status()) {
    const auto old = std::find_if(queue.begin(), queue.end(), [](const Waiting& w) { return w.message.has_status(); });
    if (old != queue.end()) {
      bytes_ -= old->bytes;
      queue.erase(old);
    }
  }
  const bool shares = urgency == kVerdicts || urgency == kVotes;
  if (shares && !queue.empty() && FitTogether(queue.back().message, message)) {
    queue.back().message.MergeFrom(message);
    queue.back().bytes += bytes;
  } else {
    queue.push_back({std::move(message), bytes});
  }
}

size_t Outbox::size() const {
  size_t messages = 0;
  for (const std::deque<Waiting>& queue : queues_) messages += queue.size();
  return messages;
}

std::optional<v1::BeaconToEngine> Outbox::Pop() {
  const auto queue =
      std::find_if(queues_.begin(), queues_.end(), [](const std::deque<Waiting>& waiting) { return !waiting.empty(); });
  if (queue == queues_.end()) return std::nullopt;
  Waiting first = std::move(queue->front());
  queue->pop_front();
  bytes_ -= first.bytes;
  if (first.message.has_answer()) answer_bytes_ -= first.bytes;
  return std::move(first.message);
}

}  // namespace lean::beacon
