// Signing records in memory.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_MEMORY_SIGNING_RECORDS_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_MEMORY_SIGNING_RECORDS_H_

#include <atomic>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/concurrency/mutex.h"
#include "validator_client/signing/signing_records.h"

namespace lean::validator {

// Does not know what an earlier process signed, so its owner must wait until the slot of the start is over. Keeps only
// the newest leaf of a key, because older ones are refused for all roots.
class MemorySigningRecords : public SigningRecords {
 public:
  absl::StatusOr<std::vector<absl::Status>> Reserve(const std::vector<SigningRequest>& requests) override;
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes& pubkey) override;
  absl::StatusOr<bool> MayHaveSigned(const SigningRequest& vote) override;
  absl::StatusOr<std::vector<Root>> SignedRoots(uint64_t from_slot, size_t limit) override;
  absl::Status ForgetWriter() override;

  // The number of calls of ForgetWriter.
  int forgotten() const { return forgotten_; }

 private:
  struct Newest {
    uint64_t slot = 0;
    Root root;
  };

  absl::Status ReserveOne(const SigningRequest& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<int> forgotten_ = 0;
  Mutex mutex_;
  absl::flat_hash_map<PublicKeyBytes, Newest> newest_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_MEMORY_SIGNING_RECORDS_H_
