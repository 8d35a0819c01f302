// Fetches blocks that something waits for, by their roots.
#ifndef LEAN_BEACON_SYNC_ROOTS_ROOT_SYNC_H_
#define LEAN_BEACON_SYNC_ROOTS_ROOT_SYNC_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "beacon/sync/roots/root_requests.h"
#include "beacon/sync/sync_context.h"

namespace lean::beacon {

class RootSync {
 public:
  RootSync(const SyncContext& context, const RootRequestsOptions& options) : context_(context), requests_(options) {}

  void Want(const WantedRoot& wanted) { requests_.Want(wanted); }
  // Asks for what is missing now.
  void Update(SteadyTime now);

 private:
  void Send(RootRequests::Ask ask, SteadyTime now);
  void OnAnswer(uint64_t peer, const std::vector<Root>& asked, SteadyTime sent,
                absl::StatusOr<std::vector<SignedBlockPtr>> answer);
  void OnOutcomes(uint64_t peer, const std::vector<SubmitOutcome>& outcomes, const std::vector<Root>& roots);

  const SyncContext context_;
  RootRequests requests_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_ROOTS_ROOT_SYNC_H_
