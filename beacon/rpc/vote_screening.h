// Stands between callers who submit votes and the chain, so that wrong votes do not hold up right ones.
#ifndef LEAN_BEACON_RPC_VOTE_SCREENING_H_
#define LEAN_BEACON_RPC_VOTE_SCREENING_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "beacon/chain/chain_types.h"
#include "beacon/rpc/caller_book.h"
#include "beacon/services/submit.h"
#include "common/clock/clock.h"
#include "common/concurrency/fair_queue.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/caller.h"

namespace lean::beacon {

// Votes of good callers go to the chain at once. All others' go in small pieces, one piece at a time, callers taking
// turns, those of unknown ones first: a caller whose first piece is right is good from then on. So wrong votes keep one
// thread of the verifier busy at most, and of what bad callers send in a slot only a part is looked at: the rest is
// kOverloaded. Thread-safe. Held by shared pointers: what the chain still answers comes back to it.
class VoteScreening : public std::enable_shared_from_this<VoteScreening> {
 public:
  using Outcomes = std::vector<SubmitOutcome>;
  using Done = std::function<void(Outcomes)>;
  // To the chain, as ChainService::SubmitVotes.
  using Submit = std::function<void(std::vector<SignedVotePtr> votes, Done done)>;

  // Votes in a piece: as many signatures as a CPU with AVX-512 computes at once.
  static constexpr size_t kPiece = 16;
  // Of bad callers' votes in a slot; one more for every eight validators.
  static constexpr size_t kLeastBadVotes = 64;

  // `clock` outlives it, and what `submit` refers to until the last answer.
  VoteScreening(Submit submit, std::shared_ptr<CallerBook> callers, const Clock& clock, std::chrono::milliseconds slot,
                size_t validators);

  // `done` is called once, from a thread of the chain or of the caller, unless Stop comes first.
  void SubmitVotes(const rpc::Caller& caller, std::vector<SignedVotePtr> votes, Done done);

  // What waits is dropped; so is what comes later.
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
  // Hands pieces to the chain until one is under way.
  void Pump();
  void SubmitPiece(const JobPtr& job, size_t votes);
  void OnPiece(const JobPtr& job, Outcomes outcomes);
  // How many of a bad caller's votes may be looked at now.
  size_t TakeBadVotes(size_t wanted);
  void Count(const rpc::Caller& caller, const Outcomes& outcomes) const;

  const Submit submit_;
  const std::shared_ptr<CallerBook> callers_;
  const Clock& clock_;
  const std::chrono::duration<double> slot_;
  const size_t bad_votes_;  // a slot
  Mutex mutex_;
  FairQueue<JobPtr, rpc::kRanks> waiting_ ABSL_GUARDED_BY(mutex_);
  bool pumping_ ABSL_GUARDED_BY(mutex_) = false;    // a thread is in Pump
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;  // a piece is
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  SteadyTime bad_since_ ABSL_GUARDED_BY(mutex_){};  // a slot's time from which bad_taken_ counts
  size_t bad_taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_VOTE_SCREENING_H_
