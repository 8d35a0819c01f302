#include "beacon/network/peer_score.h"

#include <algorithm>

namespace lean::beacon {
namespace {

// Bytes that are no message cannot come from an honest beacon; a wrong item could from one with a fault, a few times.
double Weight(Offence offence) {
  switch (offence) {
    case Offence::kMalformed:
      return 100;
    case Offence::kInvalidItem:
      return 34;
    case Offence::kBadAnswer:
      return 50;
    case Offence::kUnresponsive:
    case Offence::kLied:
      return 20;
    case Offence::kTooMuch:
      return 5;
  }
  return 0;
}

}  // namespace

absl::string_view OffenceName(Offence offence) {
  switch (offence) {
    case Offence::kMalformed:
      return "MALFORMED";
    case Offence::kInvalidItem:
      return "INVALID_ITEM";
    case Offence::kBadAnswer:
      return "BAD_ANSWER";
    case Offence::kUnresponsive:
      return "UNRESPONSIVE";
    case Offence::kLied:
      return "LIED";
    case Offence::kTooMuch:
      return "TOO_MUCH";
  }
  return "UNKNOWN";
}

double PeerScore::Add(Offence offence, SteadyTime now) {
  score_ = At(now) - Weight(offence);
  since_ = std::max(since_, now);
  return score_;
}

double PeerScore::At(SteadyTime now) const {
  const double seconds = std::chrono::duration<double>(std::max(now, since_) - since_).count();
  return std::min(0.0, score_ + seconds * kForgivenPerSecond);
}

BanList::Duration BanList::Ban(const std::string& who, SteadyTime now) {
  const auto found = entries_.find(who);
  Duration duration = kFirst;
  if (found != entries_.end() && now < found->second.until + kForgotten) {
    duration = std::min(found->second.last * 2, kLongest);
  }
  if (found == entries_.end() && entries_.size() >= kMost) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                    [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  }
  entries_[who] = {.until = now + duration, .last = duration};
  return duration;
}

std::optional<BanList::Duration> BanList::Left(const std::string& who, SteadyTime now) const {
  const auto found = entries_.find(who);
  if (found == entries_.end() || found->second.until <= now) return std::nullopt;
  return std::chrono::ceil<Duration>(found->second.until - now);
}

}  // namespace lean::beacon
