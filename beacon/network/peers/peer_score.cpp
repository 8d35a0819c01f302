#include "beacon/network/peers/peer_score.h"

#include <algorithm>

namespace lean::beacon {
namespace {

constexpr double kWorst =
    PeerScores::kBackAt - PeerScores::kForgivenPerSecond * static_cast<double>(PeerScores::kLongestBan.count());

struct OffenceTraits {
  absl::string_view name;
  double weight;
};

// No honest beacon sends malformed bytes. A beacon with a fault may send a few wrong items.
OffenceTraits TraitsOf(Offence offence) {
  switch (offence) {
    case Offence::kMalformed:
      return {"MALFORMED", 100};
    case Offence::kInvalidItem:
      return {"INVALID_ITEM", 34};
    case Offence::kBadAnswer:
      return {"BAD_ANSWER", 50};
    case Offence::kUnresponsive:
      return {"UNRESPONSIVE", 20};
    case Offence::kLied:
      return {"LIED", 20};
  }
  return {"UNKNOWN", 0};
}

}  // namespace

absl::string_view OffenceName(Offence offence) { return TraitsOf(offence).name; }

double PeerScores::Score::At(SteadyTime now) const {
  const double seconds = std::chrono::duration<double>(std::max(now, since) - since).count();
  return std::min(0.0, score + seconds * kForgivenPerSecond);
}

double PeerScores::Add(const std::string& peer_id, Offence offence, SteadyTime now) {
  const double score = std::max(Of(peer_id, now) - TraitsOf(offence).weight, kWorst);
  const bool banned = score <= kEndAt || BanLeft(peer_id, now).count() > 0;
  scores_[peer_id] = {.score = score, .since = now, .banned = banned};
  if (scores_.size() > kMost) {
    std::erase_if(scores_, [now](const auto& entry) { return entry.second.At(now) >= 0; });
  }
  if (scores_.size() > kMost) {
    scores_.erase(std::max_element(scores_.begin(), scores_.end(), [now](const auto& a, const auto& b) {
      return a.second.At(now) < b.second.At(now);
    }));
  }
  return score;
}

double PeerScores::Of(const std::string& peer_id, SteadyTime now) const {
  const auto found = scores_.find(peer_id);
  return found == scores_.end() ? 0 : found->second.At(now);
}

std::chrono::seconds PeerScores::BanLeft(const std::string& peer_id, SteadyTime now) const {
  const auto found = scores_.find(peer_id);
  if (found == scores_.end() || !found->second.banned) return std::chrono::seconds(0);
  const double seconds = std::max(0.0, (kBackAt - found->second.At(now)) / kForgivenPerSecond);
  return std::min(kLongestBan, std::chrono::ceil<std::chrono::seconds>(std::chrono::duration<double>(seconds)));
}

}  // namespace lean::beacon
