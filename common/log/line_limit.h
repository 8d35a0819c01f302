// Limits how often one cause is logged.
#ifndef LEAN_COMMON_LOG_LINE_LIMIT_H_
#define LEAN_COMMON_LOG_LINE_LIMIT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"

namespace lean {

// The first line of a cause is written. More lines within a minute are counted instead, and the count is logged at the
// end of the minute. This repeats until a minute passes without a line. Thread-safe.
//
//   if (limit.Admit("vote_refused", clock.Steady())) log.warn("vote_refused ...");
//   limit.LogLeftOut(clock.Steady(), log);  // regularly, such as at every tick
class LineLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;  // of any clock, always the same one

  static constexpr std::chrono::seconds kPeriod{60};
  // The most causes at the same time, unless stated otherwise.
  static constexpr size_t kMostCauses = 64;

  struct Options {
    std::chrono::seconds period = kPeriod;
    size_t most_causes = kMostCauses;
    // Lines of further causes share the cause "other". False: all of them are written.
    bool share_other = true;
  };

  LineLimit() : LineLimit(Options()) {}
  explicit LineLimit(const Options& options) : options_(options) {}

  // Whether to write a line of this cause now. A cause is a short name in the code, never text from outside, unless all
  // lines of further causes are written.
  bool Admit(absl::string_view cause, Time now);

  // A cause whose minute has ended, and the number of its lines that were left out.
  struct LeftOut {
    std::string cause;
    uint64_t lines = 0;
  };
  // Returns each count once, ordered by the names of the causes.
  std::vector<LeftOut> TakeLeftOut(Time now);

  // Writes TakeLeftOut as warnings: lines_left_out cause=vote_refused lines=4095 seconds=60
  void LogLeftOut(Time now, spdlog::logger& log);

 private:
  struct Cause {
    Time since;  // start of its minute
    uint64_t left_out = 0;
  };

  const Options options_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Cause> causes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean

#endif  // LEAN_COMMON_LOG_LINE_LIMIT_H_
