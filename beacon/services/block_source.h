// Where imported blocks are read from, for peers and for RPC.
#ifndef LEAN_BEACON_SERVICES_BLOCK_SOURCE_H_
#define LEAN_BEACON_SERVICES_BLOCK_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "beacon/chain/chain_types.h"
#include "beacon/services/chain_service.h"
#include "common/bytes/bytes.h"

namespace lean::beacon {

// Thread-safe. Calls may read from a disk.
class BlockSource {
 public:
  virtual ~BlockSource() = default;

  // A block of any branch; null when it is not held. Blocks without signatures, such as genesis, have no signed form.
  virtual SignedBlockPtr ByRoot(const Root& root) const = 0;

  // Blocks of the canonical chain with first_slot <= slot < first_slot + count, in ascending order: as many as fit into
  // `max_bytes` of memory (BytesOf), and at least one if there is one. Stops at the first canonical block that is not
  // held.
  virtual std::vector<SignedBlockPtr> CanonicalRange(uint64_t first_slot, uint64_t count, size_t max_bytes) const = 0;

  // CanonicalRange finds every canonical block from this slot on.
  virtual uint64_t earliest_slot() const = 0;
};

// Reads the blocks that the chain holds in memory.
class MemoryBlockSource : public BlockSource {
 public:
  // `service` outlives it.
  explicit MemoryBlockSource(const ChainService& service) : service_(service) {}

  SignedBlockPtr ByRoot(const Root& root) const override;
  std::vector<SignedBlockPtr> CanonicalRange(uint64_t first_slot, uint64_t count, size_t max_bytes) const override;
  uint64_t earliest_slot() const override;

 private:
  const ChainService& service_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_BLOCK_SOURCE_H_
