#include "beacon/network_engine/engine_outbox.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {
namespace {

// A verdict in memory, about.
constexpr size_t kVerdictBytes = 64;

}  // namespace

void EngineOutbox::AddRequest(v1::BlockRequest request) {
  bytes_ += request.ByteSizeLong();
  *control_.emplace_back().mutable_request() = std::move(request);
}

void EngineOutbox::AddEndPeer(v1::EndPeer end_peer) {
  bytes_ += end_peer.ByteSizeLong();
  *control_.emplace_back().mutable_end_peer() = std::move(end_peer);
}

void EngineOutbox::SetStatus(v1::ChainStatus status) { status_ = std::move(status); }

void EngineOutbox::AddVerdict(uint64_t id, v1::Verdict::Outcome outcome) {
  v1::Verdict& verdict = *verdicts_.add_verdicts();
  verdict.set_id(id);
  verdict.set_outcome(outcome);
  bytes_ += kVerdictBytes;
}

void EngineOutbox::AddBlock(std::string block) {
  bytes_ += block.size();
  blocks_.push_back(std::move(block));
}

void EngineOutbox::AddVote(std::string vote) {
  bytes_ += vote.size();
  votes_.push_back(std::move(vote));
}

void EngineOutbox::AddAnswer(v1::BlockAnswer answer) {
  bytes_ += answer.ByteSizeLong();
  answer_bytes_ += answer.ByteSizeLong();
  answers_.push_back(std::move(answer));
}

std::optional<v1::BeaconToEngine> EngineOutbox::Pop() {
  v1::BeaconToEngine message;
  if (!control_.empty()) {
    message = std::move(control_.front());
    control_.pop_front();
    bytes_ -= message.has_request() ? message.request().ByteSizeLong() : message.end_peer().ByteSizeLong();
  } else if (status_.has_value()) {
    *message.mutable_status() = *std::exchange(status_, std::nullopt);
  } else if (verdicts_.verdicts_size() > 0) {
    auto& waiting = *verdicts_.mutable_verdicts();
    const int count = std::min<int>(waiting.size(), kMaxVerdictsInMessage);
    auto& sent = *message.mutable_verdicts()->mutable_verdicts();
    sent.Assign(waiting.begin(), waiting.begin() + count);
    waiting.erase(waiting.begin(), waiting.begin() + count);
    bytes_ -= static_cast<size_t>(count) * kVerdictBytes;
  } else if (!blocks_.empty()) {
    bytes_ -= blocks_.front().size();
    message.mutable_publish()->add_blocks(std::move(blocks_.front()));
    blocks_.pop_front();
  } else if (!votes_.empty()) {
    for (size_t i = 0; i < kMaxVotesInMessage && !votes_.empty(); ++i) {
      bytes_ -= votes_.front().size();
      message.mutable_publish()->add_votes(std::move(votes_.front()));
      votes_.pop_front();
    }
  } else if (!answers_.empty()) {
    const size_t bytes = answers_.front().ByteSizeLong();
    bytes_ -= bytes;
    answer_bytes_ -= bytes;
    *message.mutable_answer() = std::move(answers_.front());
    answers_.pop_front();
  } else {
    return std::nullopt;
  }
  return message;
}

}  // namespace lean::beacon
