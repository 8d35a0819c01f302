// Imports blocks that a peer has sent, in parts, and repeats a part that failed for a reason of our own.
#ifndef LEAN_BEACON_SYNC_BLOCK_IMPORT_H_
#define LEAN_BEACON_SYNC_BLOCK_IMPORT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "beacon/services/submit.h"
#include "beacon/sync/sync_context.h"
#include "common/clock/clock.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

struct BlockImportOptions {
  size_t bytes = size_t{16} << 20;         // of a part, unless its first block has more
  std::chrono::milliseconds pause{1'000};  // before a part that failed is repeated
};

// Runs on the sync thread.
class BlockImport {
 public:
  enum class Result {
    kComplete,  // every block is imported, was known, or waits in the dependency queue
    kStale,     // the blocks leave our chain below our finalized block
    kWrong,     // a block is wrong, by fault of who sent it
  };
  // A block is imported, was known, or waits.
  using OnBlock = std::function<void(const SubmitOutcome& outcome, uint64_t slot)>;
  // The import has ended, and another may begin. `why` is for people, and empty unless a block is wrong.
  using OnEnd = std::function<void(Result result, uint64_t peer, const std::string& why)>;

  BlockImport(const SyncContext& context, const BlockImportOptions& options, OnBlock on_block, OnEnd on_end)
      : context_(context), options_(options), on_block_(std::move(on_block)), on_end_(std::move(on_end)) {}
  // Outcomes that are under way call this object.
  BlockImport(const BlockImport&) = delete;
  BlockImport& operator=(const BlockImport&) = delete;

  // Replaces the import in progress. `blocks` ascend by slot, and are not empty.
  void Begin(uint64_t peer, std::vector<SignedBlockPtr> blocks);
  // Ends the import in progress without a result. Outcomes that are under way are only counted.
  void Stop();
  bool active() const { return !blocks_.empty(); }

  // Imports the next part, unless one is under way or the pause is not over.
  void Update(SteadyTime now);

  // Blocks that were imported, over all imports.
  uint64_t imported() const { return imported_; }

 private:
  void OnOutcomes(uint64_t run, const std::vector<SubmitOutcome>& outcomes);
  void End(Result result, const std::string& why = "");

  const SyncContext context_;
  const BlockImportOptions options_;
  const OnBlock on_block_;
  const OnEnd on_end_;

  uint64_t run_ = 0;  // of Begin or Stop
  uint64_t peer_ = 0;
  std::vector<SignedBlockPtr> blocks_;
  size_t done_ = 0;  // number of them
  bool is_submitted_ = false;
  SteadyTime not_before_;
  uint64_t imported_ = 0;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SYNC_BLOCK_IMPORT_H_
