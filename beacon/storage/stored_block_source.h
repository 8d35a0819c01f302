// Reads blocks from memory and, when the chain has dropped them, from the disk.
#ifndef LEAN_BEACON_STORAGE_STORED_BLOCK_SOURCE_H_
#define LEAN_BEACON_STORAGE_STORED_BLOCK_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "beacon/services/block_source.h"
#include "beacon/services/chain_service.h"
#include "beacon/storage/database/chain_database.h"
#include "common/clock/clock.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"

namespace lean::beacon {

// Reads the disk without the chain's lock. A block that cannot be read counts as not held, and the error is logged,
// limited by LineLimit because anybody may ask again.
class StoredBlockSource final : public BlockSource {
 public:
  // The first three outlive it.
  StoredBlockSource(const ChainService& service, const ChainDatabase& database, const Clock& clock,
                    std::shared_ptr<spdlog::logger> log)
      : service_(service), memory_(service), database_(database), clock_(clock), log_(std::move(log)) {}

  SignedBlockPtr ByRoot(const Root& root) const override;
  std::vector<SignedBlockPtr> CanonicalRange(uint64_t first_slot, uint64_t count, size_t max_bytes) const override;
  uint64_t earliest_slot() const override;

 private:
  SignedBlockPtr FromDisk(const Checkpoint& id) const;

  const ChainService& service_;
  const MemoryBlockSource memory_;
  const ChainDatabase& database_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  mutable LineLimit lines_;
};

// The source for a chain that is kept in `database`, or in memory alone when it is null. All but `log` outlive it.
std::unique_ptr<const BlockSource> MakeBlockSource(const ChainService& service, const ChainDatabase* database,
                                                   const Clock& clock, const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_STORED_BLOCK_SOURCE_H_
