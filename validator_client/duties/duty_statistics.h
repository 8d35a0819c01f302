// Statistics of duties: how long they take, and which votes other protocols would call slashable.
#ifndef LEAN_VALIDATOR_CLIENT_DUTIES_DUTY_STATISTICS_H_
#define LEAN_VALIDATOR_CLIENT_DUTIES_DUTY_STATISTICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/containers/attestation.h"
#include "common/log/logger.h"

namespace lean::validator {

// A histogram of milliseconds with fixed buckets.
class MsHistogram {
 public:
  // Upper bounds, inclusive. Above the last one there is one more bucket.
  static constexpr std::array<int64_t, 12> kBounds = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};

  void Add(int64_t ms);

  uint64_t count() const { return count_; }
  int64_t max_ms() const { return max_ms_; }
  // The upper bound of the bucket that contains the percentile (1 to 100), or the maximum of all values if that is less
  // or the bucket has no bound. 0 when there are no values.
  int64_t PercentileMs(uint64_t percent) const;

 private:
  std::array<uint64_t, kBounds.size() + 1> buckets_{};
  uint64_t count_ = 0;
  int64_t max_ms_ = 0;
};

// The times of one kind of duty. Not thread-safe: belongs to the service's thread.
class DutyTimes {
 public:
  // `name` is the name of the duty in the log.
  explicit DutyTimes(std::string name) : name_(std::move(name)) {}

  // Adds a finished duty. `done_ms` is the time from the beginning of its interval to the end of the last stage. The
  // duty's budget limits this time.
  void Add(int64_t build_ms, int64_t sign_ms, int64_t submit_ms, int64_t done_ms);

  // Logs one line for each stage; nothing when there was no duty.
  void Log(spdlog::logger& logger) const;

  uint64_t count() const { return done_.count(); }

 private:
  std::string name_;
  MsHistogram build_;
  MsHistogram sign_;
  MsHistogram submit_;
  MsHistogram done_;
};

// Counts votes that other protocols call slashable and that are honest in this one. Compares a vote with the last kKept
// votes of its validator in this process. The counts decide nothing, so they are not stored. Not thread-safe.
class VoteStatistics {
 public:
  static constexpr size_t kKept = 64;

  struct Counts {
    uint64_t repeated_targets = 0;  // votes whose target an earlier one had
    uint64_t surrounding = 0;       // votes that surround an earlier one, or are surrounded by it
  };

  // Adds a vote and returns the counts since the process started.
  const Counts& Add(const Attestation& vote);
  const Counts& counts() const { return counts_; }

 private:
  struct Link {
    uint64_t source_slot = 0;
    uint64_t target_slot = 0;
  };

  absl::flat_hash_map<uint64_t, std::deque<Link>> links_;  // by validator, oldest first, at most kKept each
  Counts counts_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_DUTIES_DUTY_STATISTICS_H_
