#include "beacon/services/votes/clock_evidence.h"

#include <algorithm>
#include <limits>

namespace lean::beacon {
namespace {

using std::chrono::milliseconds;

int64_t Signed(uint64_t slot) {
  return static_cast<int64_t>(std::min<uint64_t>(slot, std::numeric_limits<int64_t>::max() / 2));
}

}  // namespace

milliseconds ClockEvidence::Window() const {
  return milliseconds(kWindowSlots * static_cast<int64_t>(slots_.slot_duration_ms()));
}

bool ClockEvidence::IsOld(uint64_t slot, uint64_t validator) const {
  const std::optional<uint64_t> seen = seen_.Latest({validator}).front();
  return seen.has_value() && slot <= *seen;
}

// Votes from long ago do not count. Nor do they prevent later votes with lower slots from counting, which a validator
// makes after it has corrected its clock.
bool ClockEvidence::IsNewerLocked(uint64_t slot, const NewestVote& newest, SteadyTime now) const {
  return !newest.came.has_value() || slot > newest.slot || now - *newest.came > Window();
}

bool ClockEvidence::IsWanted(uint64_t slot, uint64_t validator, SteadyTime now) const {
  if (validator >= validator_count_ || IsOld(slot, validator)) return false;
  MutexLock lock(mutex_);
  const NewestVote& newest = newest_votes_[validator];
  const bool is_soon = newest.came.has_value() && now - *newest.came < milliseconds(slots_.slot_duration_ms()) / 2;
  return !is_soon && IsNewerLocked(slot, newest, now);
}

void ClockEvidence::Heard(uint64_t slot, uint64_t validator, SteadyTime came) {
  if (validator >= validator_count_ || IsOld(slot, validator)) return;
  MutexLock lock(mutex_);
  NewestVote& newest = newest_votes_[validator];
  if (!IsNewerLocked(slot, newest, came)) return;
  newest = {.slot = slot, .came = came};
  last_came_ = std::max(last_came_, came);
}

ClockVerdict ClockEvidence::Judge(int64_t wall_ms, SteadyTime now) {
  ClockVerdict verdict;
  std::vector<int64_t> differences;  // of those that are off
  MutexLock lock(mutex_);
  for (const NewestVote& vote : newest_votes_) {
    if (!vote.came.has_value() || last_came_ - *vote.came > Window()) continue;
    ++verdict.heard;
    const int64_t came_ms = wall_ms - std::chrono::duration_cast<milliseconds>(now - *vote.came).count();
    const int64_t named = Signed(vote.slot);
    const int64_t difference = named - slots_.At(came_ms).slot;
    const bool is_late = came_ms - slots_.StartMs(named + 1, 0) >= kLateness.count();
    if (difference > 1 || (difference < -1 && is_late)) differences.push_back(difference);
  }
  verdict.off = differences.size();
  if (!differences.empty()) {
    const auto median = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
    std::nth_element(differences.begin(), median, differences.end());
    verdict.slots_off = *median;
  }
  if (wrong_) {
    wrong_ = 2 * verdict.off >= verdict.heard;
  } else {
    wrong_ = 3 * verdict.off >= newest_votes_.size() && 2 * verdict.off > verdict.heard;
  }
  verdict.wrong = wrong_;
  return verdict;
}

}  // namespace lean::beacon
