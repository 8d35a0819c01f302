#include "beacon/network/dial_plan.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {

DialPlan::DialPlan(std::string address, uint64_t seed)
    : address_(std::move(address)), backoff_(kFirstPause, kLongestPause, seed) {}

bool DialPlan::Due(const PeerTable& table, SteadyTime now) {
  if (state_ == State::kElsewhere && !table.Linked(elsewhere_)) {
    state_ = State::kWaiting;
    next_ = now + backoff_.Next();
  }
  return state_ == State::kWaiting && next_ <= now;
}

void DialPlan::OnLinked(SteadyTime now) {
  state_ = State::kLinked;
  linked_since_ = now;
}

void DialPlan::OnEnded(DialEnd end, const NodeId& node, Duration ban, SteadyTime now) {
  if (state_ == State::kLinked && now - linked_since_ >= kGoodLink) backoff_.Reset();
  state_ = State::kWaiting;
  last_end_ = end;
  switch (end) {
    case DialEnd::kLost:
      next_ = now + backoff_.Next();
      return;
    case DialEnd::kMismatch:
      next_ = now + kMismatchPause;
      return;
    case DialEnd::kSelf:
      state_ = State::kNever;
      return;
    case DialEnd::kDuplicate:
      state_ = State::kElsewhere;
      elsewhere_ = node;
      return;
    case DialEnd::kBanned:
      next_ = now + std::max(ban, backoff_.Next());
      return;
  }
}

}  // namespace lean::beacon
