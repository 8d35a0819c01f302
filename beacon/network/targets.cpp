#include "beacon/network/targets.h"

#include <algorithm>
#include <utility>

namespace lean::beacon {
namespace {

PeerState::State StateOf(const DialPlan& plan, bool dialling) {
  if (dialling) return PeerState::kConnecting;
  switch (plan.last_end()) {
    case DialEnd::kBanned:
      return PeerState::kBanned;
    case DialEnd::kSelf:
    case DialEnd::kMismatch:
      return PeerState::kRefused;
    case DialEnd::kLost:
    case DialEnd::kDuplicate:
      break;
  }
  return PeerState::kWaiting;
}

}  // namespace

Targets::Targets(const std::vector<std::string>& addresses, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (const std::string& address : addresses) {
    targets_.push_back({.plan = DialPlan(address, random()), .last_failure = {}, .last_disconnect = {}});
  }
}

std::vector<std::string> Targets::Due(const PeerTable& table, SteadyTime now) {
  std::vector<std::string> addresses;
  for (Target& target : targets_) {
    if (target.plan.Due(table, now)) addresses.push_back(target.plan.address());
  }
  return addresses;
}

void Targets::OnDialling(const std::string& address, uint64_t link) {
  for (Target& target : targets_) {
    if (target.plan.address() != address) continue;
    target.plan.OnDialling();
    target.link = link;
    target.linked = false;
  }
}

Targets::Target* Targets::Find(uint64_t link) {
  const auto found =
      std::find_if(targets_.begin(), targets_.end(), [link](const Target& target) { return target.link == link; });
  return found == targets_.end() ? nullptr : &*found;
}

void Targets::OnLinked(uint64_t link, SteadyTime now) {
  Target* target = Find(link);
  if (target == nullptr) return;
  target->plan.OnLinked(now);
  target->linked = true;
  target->last_failure.clear();
}

bool Targets::OnEnded(uint64_t link, const TargetEnd& end, SteadyTime now) {
  Target* target = Find(link);
  if (target == nullptr) return true;
  const bool again =
      !target->linked && target->last_failure == end.reason && now - target->last_news < Targets::kRepeat;
  if (!again) target->last_news = now;
  if (!target->linked) target->last_failure = end.reason;
  target->link = 0;
  target->last_disconnect = end.reason;
  target->last_disconnect_ms = end.wall_ms;
  target->plan.OnEnded(end.kind, end.node, end.ban, now);
  return !again;
}

void Targets::AddTo(std::vector<PeerState>* states) const {
  for (const Target& target : targets_) {
    const auto linked = std::find_if(states->begin(), states->end(), [&](const PeerState& state) {
      return target.link != 0 && state.id == target.link;
    });
    if (linked != states->end()) {
      linked->last_disconnect_reason = target.last_disconnect;
      linked->last_disconnect_ms = target.last_disconnect_ms;
      continue;
    }
    // The other link is among the states.
    if (target.plan.state() == DialPlan::State::kElsewhere) continue;
    PeerState state;
    state.state = StateOf(target.plan, target.link != 0);
    state.address = target.plan.address();
    state.outbound = true;
    state.last_disconnect_reason = target.last_disconnect;
    state.last_disconnect_ms = target.last_disconnect_ms;
    states->push_back(std::move(state));
  }
}

}  // namespace lean::beacon
