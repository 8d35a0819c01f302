#include "beacon/rpc/callers/caller_book.h"

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
  const double most = RankOf(record, now) == rpc::Rank::kBad ? bad_share_ : good_share_;
  return Take(record.bytes, static_cast<double>(bytes), most, now);
}

bool CallerBook::TakeCall(const rpc::Caller& caller) {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  return Take(RecordOf(caller, now).calls, 1, kCalls, now);
}

std::shared_ptr<void> CallerBook::TakeBuild(const rpc::Caller& caller) {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  Record& record = RecordOf(caller, now);
  if (record.building >= kBuildsAtOnce || !Take(record.builds, 1, kBuilds, now)) return nullptr;
  ++record.building;
  return {this, [book = shared_from_this(), identity = caller.identity()](void*) { book->EndBuild(identity); }};
}

void CallerBook::EndBuild(const std::string& identity) {
  MutexLock lock(mutex_);
  const auto known = records_.find(identity);
  // A caller that was displaced meanwhile may have come back.
  if (known != records_.end()) known->second.building = std::max(0, known->second.building - 1);
}

bool CallerBook::Take(Share& share, double amount, double most, SteadyTime now) const {
  const double slots = (now - share.since) / slot_;
  share.used = std::max(0.0, share.used - most * slots);
  share.since = now;
  if (share.used + amount > most) return false;
  share.used += amount;
  return true;
}

metrics::Footprint CallerBook::footprint() const {
  MutexLock lock(mutex_);
  return {.name = "callers",
          .items = records_.size(),
          .bytes = records_.capacity() * (sizeof(std::string) + sizeof(Record) + 1)};
}

CallerBook::Record& CallerBook::RecordOf(const rpc::Caller& caller, SteadyTime now) {
  if (records_.size() >= kMostCallers && !records_.contains(caller.identity())) MakeRoom(now);
  const auto [entry, is_new] = records_.try_emplace(caller.identity());
  if (is_new) entry->second.since = now;
  return entry->second;
}

void CallerBook::MakeRoom(SteadyTime now) {
  const auto worth = [&](const Record& record) {
    return std::pair(RankOf(record, now) == rpc::Rank::kGood,
                     std::max({record.since, record.bytes.since, record.calls.since}));
  };
  records_.erase(std::min_element(records_.begin(), records_.end(),
                                  [&](const auto& a, const auto& b) { return worth(a.second) < worth(b.second); }));
}

}  // namespace lean::beacon
