// Where imported blocks are read from, for peers and people.
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

  // Of any branch; null when it is not held. Genesis, like every block without signatures, has no such form.
  virtual SignedBlockPtr ByRoot(const Root& root) const = 0;

  // Of the canonical chain, ascending, first_slot <= slot < first_slot + count; as many as fit into max_bytes in memory
  // (BytesOf), one at least when there is one. Stops before a block that is canonical and not held.
  virtual std::vector<SignedBlockPtr> CanonicalRange(uint64_t first_slot, uint64_t count, size_t max_bytes) const = 0;

  // CanonicalRange has every canonical block from here on.
  virtual uint64_t earliest_slot() const = 0;
};

// What the chain holds in memory.
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
