// What is held against a peer, and for how long.
#ifndef LEAN_BEACON_NETWORK_PEER_SCORE_H_
#define LEAN_BEACON_NETWORK_PEER_SCORE_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "beacon/network/peer_blocks.h"
#include "common/clock/clock.h"

namespace lean::beacon {

absl::string_view OffenceName(Offence offence);

// How often each was reported of any peer. Thread-safe.
class OffenceCounts {
 public:
  void Add(Offence offence) { ++counts_[static_cast<size_t>(offence)]; }
  uint64_t Of(Offence offence) const { return counts_[static_cast<size_t>(offence)]; }

 private:
  std::array<std::atomic<uint64_t>, kOffences.size()> counts_{};
};

// 0 is best. Offences lower it, time raises it again. Thread compatible.
class PeerScore {
 public:
  static constexpr double kDisconnectAt = -100;
  static constexpr double kForgivenPerSecond = 0.2;

  // The score after it.
  double Add(Offence offence, SteadyTime now);
  // Lowers it to what is known from elsewhere; a better one changes nothing.
  void LowerTo(double score, SteadyTime now);
  double At(SteadyTime now) const;

 private:
  double score_ = 0;
  SteadyTime since_{};
};

// Scores of those whose links have ended, addresses or node ids, as text, until they are forgiven: so that nobody is
// better off for leaving and coming back. Bounded: with too many the best one is forgotten. Thread compatible.
class Reputation {
 public:
  static constexpr size_t kMost = 4096;

  // The lower one counts.
  void Remember(const std::string& who, double score, SteadyTime now);
  double Of(const std::string& who, SteadyTime now) const;

 private:
  std::map<std::string, PeerScore> scores_;
};

// Who is not linked to for a while: addresses or node ids, as text. Each further ban of the same one lasts twice as
// long, until it has kept quiet for a day. Bounded: with too many the one that ends first is forgotten. Thread
// compatible.
class BanList {
 public:
  using Duration = std::chrono::milliseconds;

  static constexpr Duration kFirst = std::chrono::minutes(1);
  static constexpr Duration kLongest = std::chrono::hours(1);
  static constexpr Duration kForgotten = std::chrono::hours(24);
  static constexpr size_t kMost = 4096;

  // How long this one lasts.
  Duration Ban(const std::string& who, SteadyTime now);
  // What is left of it; nullopt when there is none.
  std::optional<Duration> Left(const std::string& who, SteadyTime now) const;

 private:
  struct Entry {
    SteadyTime until;
    Duration last{};
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_PEER_SCORE_H_
