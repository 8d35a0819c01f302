// What the beacon knows about callers that submit, and how much each may submit in a slot.
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
#include "common/rpc/server/unary_call.h"

namespace lean::beacon {

// Callers are identified by rpc::Caller::identity(). A right signature that was not seen before proves that the caller
// has validators' keys, which makes it a good caller; a caller with more wrong signatures than right ones is bad.
// Records fade within kSlots slots. Thread-safe.
class CallerBook {
 public:
  static constexpr int kSlots = 8;
  // Several times the number of connections. A further caller displaces the one that was silent longest, good callers
  // last.
  static constexpr size_t kMostCallers = 4096;

  // `clock` outlives the book. `validators`: size of the registry, at least 1.
  CallerBook(const Clock& clock, std::chrono::milliseconds slot, size_t validators);

  rpc::Rank RankOf(const rpc::Caller& caller) const;

  // Records the caller's signatures: right ones, and wrong ones or items that were refused without verification.
  void Count(const rpc::Caller& caller, size_t right, size_t wrong);

  // Takes a request of this size from the caller's share of the slot. False: the share is used up. The share of a good
  // caller is several times what all validators can submit, plus two messages of the largest size; that of a bad caller
  // is the votes of all validators once.
  bool TakeShare(const rpc::Caller& caller, size_t bytes);

 private:
  struct Record {
    SteadyTime since;  // time of the counts
    uint64_t right = 0;
    uint64_t wrong = 0;
    SteadyTime share_since;  // time of share_used
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
