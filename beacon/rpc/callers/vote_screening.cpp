#include "beacon/rpc/callers/vote_screening.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace lean::beacon {
namespace {

constexpr size_t kWaitingJobs = 64;
constexpr size_t kWaitingBytes = size_t{64} << 20;

SubmitOutcome Overloaded() {
  return {.status = SubmitOutcome::kOverloaded,
          .reason = std::string(reason::kOverloaded),
          .message = "too many wrong votes came from this caller, or too much from others: try again",
          .root = {}};
}

// The chain has checked none of these votes, and would not check more of them now.
bool IsNotTaken(const SubmitOutcome& outcome) {
  return outcome.status == SubmitOutcome::kOverloaded || outcome.status == SubmitOutcome::kStorageFailed ||
         outcome.status == SubmitOutcome::kShuttingDown;
}

bool IsWrong(const SubmitOutcome& outcome) {
  return outcome.reason == reason::kBadSignature || outcome.reason == reason::kUnknownValidator;
}

}  // namespace

VoteScreening::VoteScreening(Submit submit, std::shared_ptr<CallerBook> callers, const Clock& clock,
                             std::chrono::milliseconds slot, size_t validators)
    : submit_(std::move(submit)),
      callers_(std::move(callers)),
      clock_(clock),
      slot_(slot),
      bad_votes_(kLeastBadVotes + validators / 8),
      waiting_({.values = kWaitingJobs, .weight = kWaitingBytes}) {}

void VoteScreening::SubmitVotes(const rpc::Caller& caller, std::vector<SignedVotePtr> votes, Done done) {
  auto job = std::make_shared<Job>(Job{caller, std::move(votes), {}, std::move(done)});
  if (callers_->RankOf(caller) == rpc::Rank::kGood) return SubmitAll(job);
  Enqueue(job);
  Pump();
}

void VoteScreening::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  while (waiting_.Pop().has_value()) {
  }
}

void VoteScreening::SubmitAll(const JobPtr& job) {
  std::vector<SignedVotePtr> rest(job->votes.begin() + static_cast<ptrdiff_t>(job->outcomes.size()), job->votes.end());
  submit_(std::move(rest), [self = shared_from_this(), job](Outcomes outcomes) {
    self->Count(job->caller, outcomes);
    std::move(outcomes.begin(), outcomes.end(), std::back_inserter(job->outcomes));
    job->done(std::move(job->outcomes));
  });
}

metrics::Footprint VoteScreening::queue() const {
  MutexLock lock(mutex_);
  return {.name = "screened_votes", .items = waiting_.size(), .bytes = waiting_.weight()};
}

void VoteScreening::Enqueue(const JobPtr& job) {
  const auto rank = static_cast<size_t>(callers_->RankOf(job->caller));
  const size_t weight = (job->votes.size() - job->outcomes.size()) * sizeof(SignedAttestation);
  std::vector<JobPtr> displaced;
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
    displaced = waiting_.Push(rank, job->caller.host, job->caller.connection, weight, job);
  }
  for (const JobPtr& other : displaced) {
    other->outcomes.resize(other->votes.size(), Overloaded());
    other->done(std::move(other->outcomes));
  }
}

// A part may be answered before submit_ returns, or on another thread in the meantime. The thread that runs this loop
// then continues it, so there is no recursion.
void VoteScreening::Pump() {
  {
    MutexLock lock(mutex_);
    if (pumping_) return;
    pumping_ = true;
  }
  while (true) {
    JobPtr job;
    {
      MutexLock lock(mutex_);
      std::optional<JobPtr> next = under_way_ ? std::nullopt : waiting_.Pop();
      if (!next.has_value()) {
        pumping_ = false;
        return;
      }
      job = *std::move(next);
    }
    const rpc::Rank rank = callers_->RankOf(job->caller);
    if (rank == rpc::Rank::kGood) {
      SubmitAll(job);
      continue;
    }
    const size_t left = job->votes.size() - job->outcomes.size();
    const size_t piece = rank == rpc::Rank::kBad ? TakeBadVotes(std::min(left, kPiece)) : std::min(left, kPiece);
    if (piece > 0) {
      SubmitPiece(job, piece);
    } else {
      job->outcomes.resize(job->votes.size(), Overloaded());
      job->done(std::move(job->outcomes));
    }
  }
}

void VoteScreening::SubmitPiece(const JobPtr& job, size_t votes) {
  const auto first = job->votes.begin() + static_cast<ptrdiff_t>(job->outcomes.size());
  {
    MutexLock lock(mutex_);
    under_way_ = true;
  }
  submit_({first, first + static_cast<ptrdiff_t>(votes)},
          [self = shared_from_this(), job](Outcomes outcomes) { self->OnPiece(job, std::move(outcomes)); });
}

void VoteScreening::OnPiece(const JobPtr& job, Outcomes outcomes) {
  Count(job->caller, outcomes);
  if (!outcomes.empty() && IsNotTaken(outcomes.back())) job->outcomes.resize(job->votes.size(), outcomes.back());
  const size_t room = job->votes.size() - job->outcomes.size();
  std::move(outcomes.begin(), outcomes.begin() + static_cast<ptrdiff_t>(std::min(room, outcomes.size())),
            std::back_inserter(job->outcomes));
  if (job->outcomes.size() < job->votes.size()) {
    Enqueue(job);
  } else {
    job->done(std::move(job->outcomes));
  }
  {
    MutexLock lock(mutex_);
    under_way_ = false;
  }
  Pump();
}

size_t VoteScreening::TakeBadVotes(size_t wanted) {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(mutex_);
  if (now - bad_since_ >= slot_) {
    bad_since_ = now;
    bad_taken_ = 0;
  }
  const size_t taken = std::min(wanted, bad_votes_ - std::min(bad_taken_, bad_votes_));
  bad_taken_ += taken;
  return taken;
}

void VoteScreening::Count(const rpc::Caller& caller, const Outcomes& outcomes) const {
  const auto right = std::count_if(outcomes.begin(), outcomes.end(),
                                   [](const SubmitOutcome& outcome) { return outcome.new_signature; });
  const auto wrong = std::count_if(outcomes.begin(), outcomes.end(), IsWrong);
  callers_->Count(caller, static_cast<size_t>(right), static_cast<size_t>(wrong));
}

}  // namespace lean::beacon
