// What is held against peers, and for how long.
#ifndef LEAN_BEACON_NETWORK_PEERS_PEER_SCORE_H_
#define LEAN_BEACON_NETWORK_PEERS_PEER_SCORE_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "beacon/network/peers/peer_blocks.h"
#include "common/clock/clock.h"

namespace lean::beacon {

absl::string_view OffenceName(Offence offence);

// Scores by peer id. 0 is best: offences lower it, time raises it again. They outlive connections, so that nobody is
// better off for leaving and coming back, and engines, which know of no bans when they start. Bounded: with too many
// the best one is forgotten. Thread compatible.
class PeerScores {
 public:
  // A peer that falls so far has to go, and may come back when it is forgiven so much: in a minute. Whoever goes on
  // after that is kept out for longer, since what it does then comes on top.
  static constexpr double kEndAt = -100;
  static constexpr double kBackAt = -88;
  static constexpr double kForgivenPerSecond = 0.2;
  // However bad, it may come back then.
  static constexpr std::chrono::seconds kLongestBan{3600};
  static constexpr size_t kMost = 4096;

  // The score after it.
  double Add(const std::string& peer_id, Offence offence, SteadyTime now);
  double Of(const std::string& peer_id, SteadyTime now) const;
  // Until it may come back; 0: it may now.
  std::chrono::seconds BanLeft(const std::string& peer_id, SteadyTime now) const;

 private:
  struct Score {
    double At(SteadyTime now) const;

    double score = 0;
    SteadyTime since{};
  };
  std::map<std::string, Score> scores_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEERS_PEER_SCORE_H_
