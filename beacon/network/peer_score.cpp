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
    case Offence::kBrokeOff:
      return 25;
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
    case Offence::kBrokeOff:
      return "BROKE_OFF";
  }
  return "UNKNOWN";
}

double PeerScore::Add(Offence offence, SteadyTime now) {
  score_ = At(now) - Weight(offence);
  since_ = std::max(since_, now);
  return score_;
}

void PeerScore::LowerTo(double score, SteadyTime now) {
  score_ = std::min(At(now), score);
  since_ = std::max(since_, now);
}

double PeerScore::At(SteadyTime now) const {
  const double seconds = std::chrono::duration<double>(std::max(now, since_) - since_).count();
  return std::min(0.0, score_ + seconds * kForgivenPerSecond);
}

void Reputation::Remember(const std::string& who, double score, SteadyTime now) {
  if (score >= 0) return;
  scores_[who].LowerTo(score, now);
  if (scores_.size() <= kMost) return;
  std::erase_if(scores_, [now](const auto& entry) { return entry.second.At(now) >= 0; });
  if (scores_.size() <= kMost) return;
  scores_.erase(std::max_element(scores_.begin(), scores_.end(),
                                 [now](const auto& a, const auto& b) { return a.second.At(now) < b.second.At(now); }));
}

double Reputation::Of(const std::string& who, SteadyTime now) const {
  const auto found = scores_.find(who);
  return found == scores_.end() ? 0 : found->second.At(now);
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
