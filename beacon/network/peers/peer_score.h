// Scores and bans of peers.
#ifndef LEAN_BEACON_NETWORK_PEERS_PEER_SCORE_H_
#define LEAN_BEACON_NETWORK_PEERS_PEER_SCORE_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "beacon/network/peers/peer_view.h"
#include "common/clock/clock.h"

namespace lean::beacon {

absl::string_view OffenceName(Offence offence);

// Scores by peer id. 0 is best; offences lower a score, and time raises it again. Scores outlive connections, so that a
// peer gains nothing by reconnecting, and engines, which start without bans. Bounded: when there are too many, the best
// score is dropped. Thread compatible.
class PeerScores {
 public:
  // A peer is banned at kEndAt and may return at kBackAt, a minute later. Its score does not start over, so that
  // further offences ban it for longer.
  static constexpr double kEndAt = -100;
  static constexpr double kBackAt = -88;
  static constexpr double kForgivenPerSecond = 0.2;
  // The longest ban.
  static constexpr std::chrono::seconds kLongestBan{3600};
  static constexpr size_t kMost = 4096;

  // Records an offence and returns the new score.
  double Add(const std::string& peer_id, Offence offence, SteadyTime now);
  double Of(const std::string& peer_id, SteadyTime now) const;
  size_t size() const { return scores_.size(); }
  size_t bytes() const { return scores_.size() * (sizeof(decltype(scores_)::value_type) + kNodeBytes); }
  // The rest of the ban; 0: not banned.
  std::chrono::seconds BanLeft(const std::string& peer_id, SteadyTime now) const;

 private:
  struct Score {
    double At(SteadyTime now) const;

    double score = 0;
    SteadyTime since{};
    bool banned = false;  // at `since`
  };
  static constexpr size_t kNodeBytes = 96;  // of the map, and of a peer id

  std::map<std::string, Score> scores_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEER_SCORE_H_
