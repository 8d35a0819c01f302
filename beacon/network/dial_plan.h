// When a configured peer is dialled, and when again.
#ifndef LEAN_BEACON_NETWORK_DIAL_PLAN_H_
#define LEAN_BEACON_NETWORK_DIAL_PLAN_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "beacon/network/peer_table.h"
#include "common/clock/backoff.h"
#include "common/clock/clock.h"

namespace lean::beacon {

// How an attempt or a link ended.
enum class DialEnd {
  kLost,       // not reached, broken off, or stopping: again, after a pause that grows
  kMismatch,   // another network: again, rarely, should it be set up anew
  kSelf,       // this node itself: never again
  kDuplicate,  // linked by another link: again when that has ended
  kBanned,     // again when the ban has ended
};

// One peer's. Thread compatible.
class DialPlan {
 public:
  using Duration = std::chrono::milliseconds;

  static constexpr Duration kFirstPause{250};
  static constexpr Duration kLongestPause{15'000};
  static constexpr Duration kMismatchPause{60'000};
  // A link that stood for as long makes the pauses short again.
  static constexpr Duration kGoodLink{10'000};

  enum class State { kWaiting, kDialling, kLinked, kElsewhere, kNever };

  // Due at once. `seed` is that of the jitter.
  DialPlan(std::string address, uint64_t seed);

  const std::string& address() const { return address_; }
  State state() const { return state_; }
  // What ended last.
  DialEnd last_end() const { return last_end_; }

  // Whether to dial now. `table` tells whether the peer is linked by another link.
  bool Due(const PeerTable& table, SteadyTime now);
  void OnDialling() { state_ = State::kDialling; }
  void OnLinked(SteadyTime now);
  // `node`: of kDuplicate. `ban`: what is left of it, with kBanned.
  void OnEnded(DialEnd end, const NodeId& node, Duration ban, SteadyTime now);

 private:
  const std::string address_;
  Backoff backoff_;
  State state_ = State::kWaiting;
  DialEnd last_end_ = DialEnd::kLost;
  SteadyTime next_{};
  SteadyTime linked_since_{};
  NodeId elsewhere_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_DIAL_PLAN_H_
