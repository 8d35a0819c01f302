// Virtual time: an event loop in which time passes from event to event, and the clocks of the nodes on it.
#ifndef LEAN_TESTS_SIMULATION_WORLD_VIRTUAL_TIME_H_
#define LEAN_TESTS_SIMULATION_WORLD_VIRTUAL_TIME_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "common/clock/clock.h"

namespace lean::simulation {

// Milliseconds since the start of the simulation.
using Ms = int64_t;

// Runs events in the order of their times; events of one time in the order in which they were added. One thread.
class EventLoop {
 public:
  using Action = std::function<void()>;

  Ms now() const { return now_; }
  uint64_t events() const { return done_; }

  // Runs `action` after `delay`; a negative one counts as 0.
  void In(Ms delay, Action action) { events_[now_ + std::max<Ms>(delay, 0)].push_back(std::move(action)); }

  // Runs the next event if its time is before `end`. False: there is none, and `end` is now.
  bool RunOne(Ms end) {
    if (next_ == current_.size() && !TakeNext(end)) {
      now_ = std::max(now_, end);
      return false;
    }
    ++done_;
    // The action may add others.
    const Action action = std::move(current_[next_++]);
    action();
    return true;
  }

 private:
  // Takes the events of the next moment before `end`.
  bool TakeNext(Ms end) {
    current_.clear();
    next_ = 0;
    const auto first = events_.begin();
    if (first == events_.end() || first->first >= end) return false;
    now_ = first->first;
    current_.swap(first->second);
    events_.erase(first);
    return true;
  }

  Ms now_ = 0;
  uint64_t done_ = 0;
  std::vector<Action> current_;  // the events of this moment; those that it adds for now follow
  size_t next_ = 0;
  absl::btree_map<Ms, std::vector<Action>> events_;
};

// The clock of a node. Steady time is the loop's. Waits do not block: code that waits is not run here.
class NodeClock final : public Clock {
 public:
  // At the start of the simulation it shows `start_ms`.
  NodeClock(const EventLoop& loop, int64_t start_ms) : loop_(loop), start_ms_(start_ms) {}

  // How far the wall clock is ahead of the right time.
  void SetSkew(Ms skew) { skew_ = skew; }
  Ms skew() const { return skew_; }

  using Clock::WaitUntil;
  int64_t WallMs() const override { return start_ms_ + loop_.now() + skew_; }
  SteadyTime Steady() const override { return SteadyTime(std::chrono::milliseconds(loop_.now())); }
  bool WaitUntil(SteadyTime deadline, std::stop_token) override { return Steady() >= deadline; }
  void Interrupt() override {}

  Ms Until(SteadyTime time) const { return std::chrono::ceil<std::chrono::milliseconds>(time - Steady()).count(); }

 private:
  const EventLoop& loop_;
  const int64_t start_ms_;
  Ms skew_ = 0;
};

}  // namespace lean::simulation

#endif  // LEAN_TESTS_SIMULATION_WORLD_VIRTUAL_TIME_H_
