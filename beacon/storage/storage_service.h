// StorageService: keeps the chain on disk, behind its writer.
#ifndef LEAN_BEACON_STORAGE_STORAGE_SERVICE_H_
#define LEAN_BEACON_STORAGE_STORAGE_SERVICE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/chain_observer.h"
#include "beacon/storage/database/chain_database.h"
#include "beacon/storage/database/chain_tip.h"
#include "beacon/storage/storage_queue.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"

namespace lean::beacon {

struct StorageOptions {
  // More than this waits to be written, or it waits for longer: nothing is admitted until it is less. With a lag below
  // a slot, every block is on disk before it can be finalized.
  size_t queue_bytes = size_t{128} << 20;
  std::chrono::milliseconds queue_lag{4000};
  size_t batch_bytes = size_t{16} << 20;  // written at once, about
  uint64_t snapshot_slots = 32;           // of every branch the state of the first block in so many slots is kept
  // Blocks further behind finality are dropped (DropOldBlocks); nullopt: none.
  std::optional<uint64_t> keep_slots = std::nullopt;
  std::chrono::milliseconds retry{1000};  // between attempts while the disk fails
  std::chrono::milliseconds check{1000};  // with nothing to write, how often the disk is looked at
  std::chrono::milliseconds tip{4000};    // the least between two writes of the chain's tip: a slot
};

// One thread takes what the writer pushed, in batches that are written as a whole, in order, fsync included. When the
// disk fails or the folder is not there any more, nothing more is accepted, the batch is kept and tried again until it
// goes through. Thread-safe, except for Start and Stop.
class StorageService final : public ChainObserver {
 public:
  // `database` and `clock` outlive the service.
  StorageService(ChainDatabase& database, Clock& clock, std::shared_ptr<spdlog::logger> log,
                 const StorageOptions& options);
  // As Stop().
  ~StorageService() override;
  StorageService(const StorageService&) = delete;
  StorageService& operator=(const StorageService&) = delete;

  void Start();
  // Writes what waits and joins the thread; a disk that fails then is tried once more. After the chain's writer has
  // stopped. May be called again.
  void Stop();

  void BlockImported(const Root& root, const SignedBlockPtr& block, const StatePtr& post_state,
                     const VoteMap& known_votes) override;
  void VoteAccepted(const SignedVotePtr& vote) override;
  void CheckpointsChanged(const ChainCheckpoints& checkpoints) override;
  absl::Status CanAccept() const override;

  // OK, or why the disk takes nothing at the moment.
  absl::Status Health() const;
  // `changed` is called with every change of health, and now; on whatever thread, which it must not hold up. null:
  // nobody any more.
  void WatchHealth(std::function<void(const absl::Status&)> changed);
  size_t queued_items() const { return queue_.items(); }
  size_t queued_bytes() const { return queue_.bytes(); }
  // Waits until everything pushed before is on disk. While the disk fails, it does not return.
  void Flush() const { queue_.AwaitEmpty(); }

 private:
  void Run();
  WriteSet Prepare(const std::vector<StorageItem>& items);
  // Canonical roots up to what the block finalizes; branches that leave below it go.
  void Finalize(const ImportedBlock& block, WriteSet& writes);
  // Tries until it succeeds; false when the service stops before.
  bool Write(const WriteSet& writes);
  // As keep_slots says.
  void DropOld();
  // Writes how far the chain is beside the database, if that is news and it is time, or this is the `last` time.
  void WriteTip(bool last);
  void SetHealth(absl::Status health);
  // False when the service stops.
  bool WaitToRetry();

  ChainDatabase& database_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const StorageOptions options_;
  StorageQueue queue_;

  uint64_t told_finalized_slot_ = 0;  // the chain writer's own

  // The thread's own. Of the registry's size, and no more.
  uint64_t canonical_slot_ = 0;  // canonical roots are written up to this one
  Checkpoint justified_;
  absl::flat_hash_map<uint64_t, uint64_t> vote_slots_;  // by validator: of the vote that was written last
  ChainTip tip_;                                        // of what is written
  ChainTip written_tip_;                                // as it is beside the database
  SteadyTime tip_due_;
  bool tip_failed_ = false;  // told already

  mutable Mutex mutex_;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const absl::Status&)> health_changed_ ABSL_GUARDED_BY(mutex_);
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_STORAGE_SERVICE_H_
