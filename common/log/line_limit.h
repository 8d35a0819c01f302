// Bounds what one cause writes to the log, however often it happens.
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

// The first line of a cause is written. Further lines within a minute are left out and counted, and the count is told
// at the end of the minute; so it goes on, until a minute passes without a line. Thread-safe.
//
//   if (limit.Admit("vote_refused", clock.Steady())) log.warn("vote_refused ...");
//   limit.LogLeftOut(clock.Steady(), log);  // now and then, e.g. at every tick
class LineLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;  // of any one clock

  static constexpr std::chrono::seconds kPeriod{60};
  // Causes that are told apart at once; what exceeds them shares one, named "other".
  static constexpr size_t kMostCauses = 64;

  // Whether a line of this cause is written now. A cause is a short name from the code, never a text from outside.
  bool Admit(absl::string_view cause, Time now);

  // A cause whose minute is over, and its lines that were left out in that minute.
  struct LeftOut {
    std::string cause;
    uint64_t lines = 0;
  };
  // Each count is given once. In the order of the causes' names.
  std::vector<LeftOut> TakeLeftOut(Time now);

  // Writes TakeLeftOut as warnings: lines_left_out cause=vote_refused lines=4095 seconds=60
  void LogLeftOut(Time now, spdlog::logger& log);

 private:
  struct Cause {
    Time since;  // beginning of its minute
    uint64_t left_out = 0;
  };

  Mutex mutex_;
  absl::flat_hash_map<std::string, Cause> causes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean

#endif  // LEAN_COMMON_LOG_LINE_LIMIT_H_
