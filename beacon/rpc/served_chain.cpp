#include "beacon/rpc/served_chain.h"

#include <algorithm>

#include "common/containers/limits.h"

namespace lean::beacon {

uint64_t ServedChain::last_slot() const {
  // A block at slot s has s earlier slots in its state's lists, and is signed by leaf s of 2^lifetime.
  return std::min(kHistoricalRootsLimit, (uint64_t{1} << spec.xmss_log_lifetime) - 1);
}

}  // namespace lean::beacon
