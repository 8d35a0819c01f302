// Where post-states come from that the chain has let go of.
#ifndef LEAN_BEACON_SERVICES_STATES_STATE_SOURCE_H_
#define LEAN_BEACON_SERVICES_STATES_STATE_SOURCE_H_

#include "absl/status/statusor.h"
#include "beacon/chain/branch.h"
#include "beacon/chain/chain_types.h"

namespace lean::beacon {

// Thread-safe. Calls read from a disk and compute for as long as the transition of some tens of blocks takes.
class StateSource {
 public:
  virtual ~StateSource() = default;

  // The post-state of the branch's block. kNotFound: what it would be computed from is not held, or is too far below.
  virtual absl::StatusOr<StatePtr> Rebuild(const Branch& branch) const = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_STATES_STATE_SOURCE_H_
