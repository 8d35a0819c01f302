// What the beacon knows about callers of duties, and how much each may ask of it in a slot.
#ifndef LEAN_BEACON_RPC_CALLERS_CALLER_BOOK_H_
#define LEAN_BEACON_RPC_CALLERS_CALLER_BOOK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/metrics/footprint.h"
#include "common/rpc/server/unary_call.h"

namespace lean::beacon {

// Callers are identified by rpc::Caller::identity(). A right signature that was not seen before proves that the caller
// has validators' keys, which makes it a good caller; a caller with more wrong signatures than right ones is bad.
// Records fade within kSlots slots. Thread-safe.
class CallerBook : public std::enable_shared_from_this<CallerBook> {
 public:
  static constexpr int kSlots = 8;
  // Of one caller in a slot: calls of any kind, and blocks that are built. A validator client makes a dozen calls and
  // builds at most one block.
  static constexpr double kCalls = 1024;
  static constexpr double kBuilds = 16;
  // Blocks of one caller that are built, or wait to be built, at the same time.
  static constexpr int kBuildsAtOnce = 4;
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

  // Takes a call of the caller's calls of the slot. False: they are used up.
  bool TakeCall(const rpc::Caller& caller);

  // Takes a block to build, which ends with the result. Null: the caller has used up its blocks of the slot, or has too
  // many at once. The book must be held by shared pointers.
  std::shared_ptr<void> TakeBuild(const rpc::Caller& caller);

  metrics::Footprint footprint() const;

 private:
  // What is used of an amount per slot. It flows back at the rate of that amount.
  struct Share {
    SteadyTime since;
    double used = 0;
  };
  struct Record {
    SteadyTime since;  // time of the counts
    uint64_t right = 0;
    uint64_t wrong = 0;
    Share bytes;
    Share calls;
    Share builds;
    int building = 0;  // at the moment
  };

  // False: the share does not have that much left.
  bool Take(Share& share, double amount, double most, SteadyTime now) const;
  void EndBuild(const std::string& identity);

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

#endif  // LEAN_BEACON_RPC_CALLERS_CALLER_BOOK_H_
