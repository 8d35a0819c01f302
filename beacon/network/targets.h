// The peers that were configured: which of them is dialled by which link, and what became of the last one.
#ifndef LEAN_BEACON_NETWORK_TARGETS_H_
#define LEAN_BEACON_NETWORK_TARGETS_H_

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "beacon/network/dial_plan.h"
#include "beacon/network/peer_list.h"
#include "beacon/network/peer_table.h"
#include "common/clock/clock.h"

namespace lean::beacon {

// How an attempt, or a link, to a target ended.
struct TargetEnd {
  DialEnd kind = DialEnd::kLost;
  NodeId node;               // zero when it was never known
  DialPlan::Duration ban{};  // what is left of one
  std::string reason;        // for people
  int64_t wall_ms = 0;       // when
};

// Thread compatible.
class Targets {
 public:
  static constexpr std::chrono::seconds kRepeat{60};

  // `seed` is that of the pauses' jitter.
  Targets(const std::vector<std::string>& addresses, uint64_t seed);

  // Addresses to dial now.
  std::vector<std::string> Due(const PeerTable& table, SteadyTime now);

  void OnDialling(const std::string& address, uint64_t link);
  // Links of others are ignored by each of these.
  void OnLinked(uint64_t link, SteadyTime now);
  // Whether that is news: false, if the attempt failed for the same reason as the one before it and the last news of
  // this target is less than kRepeat old.
  bool OnEnded(uint64_t link, const TargetEnd& end, SteadyTime now);

  // Adds what is known of the targets to the states of the links, and the targets that are not linked.
  void AddTo(std::vector<PeerState>* states) const;

 private:
  struct Target {
    DialPlan plan;
    uint64_t link = 0;  // while dialling or linked
    bool linked = false;
    std::string last_failure;  // to link; empty once it has succeeded
    SteadyTime last_news{};
    std::string last_disconnect;
    int64_t last_disconnect_ms = 0;
  };

  Target* Find(uint64_t link);

  std::vector<Target> targets_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_TARGETS_H_
