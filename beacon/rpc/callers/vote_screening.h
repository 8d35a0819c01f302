// Orders the votes that callers submit, so that wrong votes do not delay right ones.
#ifndef LEAN_BEACON_RPC_CALLERS_VOTE_SCREENING_H_
#define LEAN_BEACON_RPC_CALLERS_VOTE_SCREENING_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/chain/chain_types.h"
#include "beacon/rpc/callers/caller_book.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "common/concurrency/fair_queue.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"
#include "common/rpc/server/unary_call.h"

namespace lean::beacon {

// Votes of good callers go to the chain at once. All others go in small pieces, one piece at a time. Callers take
// turns, and unknown callers come first: a caller whose first piece is right is a good caller from then on. So wrong
// votes occupy at most one thread of the verifier. Of the votes of bad callers only a part is verified in a slot; the
// rest is kOverloaded. Thread-safe. Held by shared pointers, because outcomes of the chain return to it.
class VoteScreening : public std::enable_shared_from_this<VoteScreening> {
 public:
  using Outcomes = std::vector<SubmitOutcome>;
  using Done = std::function<void(Outcomes)>;
  // As ChainService::SubmitVotes.
  using Submit = std::function<void(std::vector<SignedVotePtr> votes, Done done)>;

  // Votes per piece: the number of signatures that a CPU with AVX-512 verifies at once.
  static constexpr size_t kPiece = 16;
  // Votes of bad callers that are verified in a slot; one more for every eight validators.
  static constexpr size_t kLeastBadVotes = 64;

  // `clock` outlives it. What `submit` refers to outlives the last answer.
  VoteScreening(Submit submit, std::shared_ptr<CallerBook> callers, const Clock& clock, std::chrono::milliseconds slot,
                size_t validators);

  // `done` is called once, on a thread of the chain or of the caller, unless Stop is called first.
  void SubmitVotes(const rpc::Caller& caller, std::vector<SignedVotePtr> votes, Done done);

  metrics::Footprint queue() const;

  // Drops waiting and later votes.
  void Stop();

 private:
  struct Job {
    rpc::Caller caller;
    std::vector<SignedVotePtr> votes;
    Outcomes outcomes;  // of the first votes
    Done done;
  };
  using JobPtr = std::shared_ptr<Job>;

  void SubmitAll(const JobPtr& job);
  void Enqueue(const JobPtr& job);
  // Submits pieces until one is in progress.
  void Pump();
  void SubmitPiece(const JobPtr& job, size_t votes);
  void OnPiece(const JobPtr& job, Outcomes outcomes);
  // How many votes of a bad caller may be verified now.
  size_t TakeBadVotes(size_t wanted);
  void Count(const rpc::Caller& caller, const Outcomes& outcomes) const;

  const Submit submit_;
  const std::shared_ptr<CallerBook> callers_;
  const Clock& clock_;
  const std::chrono::duration<double> slot_;
  const size_t bad_votes_;  // per slot
  mutable Mutex mutex_;
  FairQueue<JobPtr, rpc::kRanks> waiting_ ABSL_GUARDED_BY(mutex_);
  bool pumping_ ABSL_GUARDED_BY(mutex_) = false;    // a thread is in Pump
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;  // a piece is in progress
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  SteadyTime bad_since_ ABSL_GUARDED_BY(mutex_){};  // start of the slot's time that bad_taken_ counts
  size_t bad_taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_CALLERS_VOTE_SCREENING_H_
