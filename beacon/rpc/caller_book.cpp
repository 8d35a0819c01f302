#include "beacon/rpc/caller_book.h"

#include <algorithm>
#include <utility>

#include "common/rpc/wire/message_limits.h"

namespace lean::beacon {
namespace {

// Size of a signed vote as a message: 3,116 bytes of signature, and 150 bytes of data and lengths.
constexpr double kVoteBytes = 3'400;
// A block has at most this many votes, and each may be sent twice.
constexpr double kTimesAllVotes = 4;
constexpr double kLeastBadShare = 1 << 20;

}  // namespace

CallerBook::CallerBook(const Clock& clock, std::chrono::milliseconds slot, size_t validators)
    : clock_(clock),
      slot_(slot),
      good_share_(2.0 * rpc::kMaxMessageBytes + kTimesAllVotes * kVoteBytes * static_cast<double>(validators)),
      bad_share_(kLeastBadShare + kVoteBytes * static_cast<double>(validators)) {}

rpc::Rank CallerBook::RankOf(const rpc::Caller& caller) const {
  MutexLock lock(mutex_);
  const auto known = records_.find(caller.identity());
  return known == records_.end() ? rpc::Rank::kUnknown : RankOf(known->second, clock_.Steady());
}

rpc::Rank CallerBook::RankOf(const Record& record, SteadyTime now) const {
  if (record.right == record.wrong || now - record.since > 2 * kSlots * slot_) return rpc::Rank::kUnknown;
  return record.right > record.wrong ? rpc::Rank::kGood : rpc::Rank::kBad;
}

void CallerBook::Count(const rpc::Caller& caller, size_t right, size_t wrong) {
  if (right == 0 && wrong == 0) return;
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  Record& record = RecordOf(caller, now);
  if (now - record.since > kSlots * slot_) {
    record.since = now;
    record.right /= 2;
    record.wrong /= 2;
  }
  record.right += right;
  record.wrong += wrong;
}

bool CallerBook::TakeShare(const rpc::Caller& caller, size_t bytes) {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  Record& record = RecordOf(caller, now);
  const double share = RankOf(record, now) == rpc::Rank::kBad ? bad_share_ : good_share_;
  const double slots = (now - record.share_since) / slot_;
  record.share_used = std::max(0.0, record.share_used - share * slots);
  record.share_since = now;
  if (record.share_used + static_cast<double>(bytes) > share) return false;
  record.share_used += static_cast<double>(bytes);
  return true;
}

CallerBook::Record& CallerBook::RecordOf(const rpc::Caller& caller, SteadyTime now) {
  if (records_.size() >= kMostCallers && !records_.contains(caller.identity())) MakeRoom(now);
  const auto [entry, is_new] = records_.try_emplace(caller.identity());
  if (is_new) entry->second.since = entry->second.share_since = now;
  return entry->second;
}

void CallerBook::MakeRoom(SteadyTime now) {
  const auto worth = [&](const Record& record) {
    return std::pair(RankOf(record, now) == rpc::Rank::kGood, std::max(record.since, record.share_since));
  };
  records_.erase(std::min_element(records_.begin(), records_.end(),
                                  [&](const auto& a, const auto& b) { return worth(a.second) < worth(b.second); }));
}

}  // namespace lean::beacon
