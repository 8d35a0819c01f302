#include "common/log/line_limit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lean {

bool LineLimit::Admit(absl::string_view cause, Time now) {
  MutexLock lock(mutex_);
  auto known = causes_.find(cause);
  if (known == causes_.end() && causes_.size() >= options_.most_causes) {
    if (!options_.share_other) return true;
    cause = "other";
    known = causes_.find(cause);
  }
  if (known == causes_.end()) {
    causes_.emplace(cause, Cause{.since = now});
    return true;
  }
  Cause& state = known->second;
  if (state.left_out == 0 && now - state.since >= options_.period) {
    state.since = now;
    return true;
  }
  ++state.left_out;
  return false;
}

std::vector<LineLimit::LeftOut> LineLimit::TakeLeftOut(Time now) {
  std::vector<LeftOut> taken;
  MutexLock lock(mutex_);
  absl::erase_if(causes_, [&](auto& entry) {
    Cause& state = entry.second;
    if (now - state.since < options_.period) return false;
    if (state.left_out == 0) return true;
    taken.push_back({.cause = entry.first, .lines = std::exchange(state.left_out, 0)});
    state.since = now;
    return false;
  });
  std::sort(taken.begin(), taken.end(), [](const LeftOut& a, const LeftOut& b) { return a.cause < b.cause; });
  return taken;
}

void LineLimit::LogLeftOut(Time now, spdlog::logger& log) {
  for (const LeftOut& left_out : TakeLeftOut(now)) {
    log.warn(absl::StrCat("lines_left_out cause=", left_out.cause, " lines=", left_out.lines,
                          " seconds=", options_.period.count()));
  }
}

}  // namespace lean
