#include "validator_client/duties/duty_statistics.h"

#include <algorithm>

namespace lean::validator {

void MsHistogram::Add(int64_t ms) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), ms) - kBounds.begin();
  ++buckets_[static_cast<size_t>(bucket)];
  ++count_;
  max_ms_ = std::max(max_ms_, ms);
}

int64_t MsHistogram::PercentileMs(uint64_t percent) const {
  const uint64_t wanted = (count_ * percent + 99) / 100;  // rounded up
  uint64_t seen = 0;
  for (size_t i = 0; i < kBounds.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::min(kBounds[i], max_ms_);
  }
  return max_ms_;
}

void DutyTimes::Add(int64_t build_ms, int64_t sign_ms, int64_t submit_ms, int64_t done_ms) {
  build_.Add(build_ms);
  sign_.Add(sign_ms);
  submit_.Add(submit_ms);
  done_.Add(done_ms);
}

void DutyTimes::Log(spdlog::logger& logger) const {
  if (count() == 0) return;
  const auto line = [&](const char* stage, const MsHistogram& times) {
    logger.info("duty times duty={} stage={} count={} p50_ms={} p95_ms={} p99_ms={} max_ms={}", name_, stage,
                times.count(), times.PercentileMs(50), times.PercentileMs(95), times.PercentileMs(99), times.max_ms());
  };
  line("build", build_);
  line("sign", sign_);
  line("submit", submit_);
  line("done", done_);
}

const VoteStatistics::Counts& VoteStatistics::Add(const Attestation& vote) {
  const Link link{vote.data.source.slot, vote.data.target.slot};
  std::deque<Link>& earlier = links_[vote.validator_id];
  const auto encloses = [](const Link& outer, const Link& inner) {
    return outer.source_slot < inner.source_slot && inner.target_slot < outer.target_slot;
  };
  const bool repeated = std::any_of(earlier.begin(), earlier.end(),
                                    [&link](const Link& other) { return other.target_slot == link.target_slot; });
  const bool surrounding = std::any_of(earlier.begin(), earlier.end(), [&](const Link& other) {
    return encloses(link, other) || encloses(other, link);
  });
  counts_.repeated_targets += repeated ? 1 : 0;
  counts_.surrounding += surrounding ? 1 : 0;
  earlier.push_back(link);
  if (earlier.size() > kKept) earlier.pop_front();
  return counts_;
}

}  // namespace lean::validator
