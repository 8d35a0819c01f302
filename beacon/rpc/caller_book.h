// What the beacon has seen of those who submit, and what each may submit in a slot.
#ifndef LEAN_BEACON_RPC_CALLER_BOOK_H_
#define LEAN_BEACON_RPC_CALLER_BOOK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/caller.h"

namespace lean::beacon {

// Callers are told apart by rpc::Caller::identity(). Only who holds validators' keys has right signatures that nobody
// has shown before, so these are what makes a caller good: one whose wrong ones are more is bad. What is known fades
// within kSlots slots. Thread-safe.
class CallerBook {
 public:
  static constexpr int kSlots = 8;
  // As many as may be connected, several times over. A further one displaces who was heard of longest ago, good ones
  // last.
  static constexpr size_t kMostCallers = 4096;

  // `clock` outlives the book; `validators`: in the registry, at least 1.
  CallerBook(const Clock& clock, std::chrono::milliseconds slot, size_t validators);

  rpc::Rank RankOf(const rpc::Caller& caller) const;

  // Signatures that were computed for the caller: right ones, and wrong ones or what needs none to be refused.
  void Count(const rpc::Caller& caller, size_t right, size_t wrong);

  // Whether a request to submit, of this size, is within what the caller may send in a slot; if so, it is taken off
  // that. Several times what all validators can have to say, and two messages of the largest size; a bad one's less:
  // their votes, once.
  bool TakeShare(const rpc::Caller& caller, size_t bytes);

 private:
  struct Record {
    SteadyTime since;  // of the counts
    uint64_t right = 0;
    uint64_t wrong = 0;
    SteadyTime share_since;  // when share_used was brought up to date
    double share_used = 0;   // bytes
  };

  rpc::Rank RankOf(const Record& record, SteadyTime now) const;
  Record& RecordOf(const rpc::Caller& caller, SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom(SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const std::chrono::duration<double> slot_;
  const double good_share_;  // bytes
  const double bad_share_;
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Record> records_ ABSL_GUARDED_BY(mutex_);  // by identity
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_CALLER_BOOK_H_
