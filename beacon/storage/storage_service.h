// StorageService: writes the chain to the disk, asynchronously.
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
#include "beacon/storage/database/losses.h"
#include "beacon/storage/storage_queue.h"
#include "common/clock/clock.h"
#include "common/concurrency/mutex.h"
#include "common/log/logger.h"
#include "common/metrics/footprint.h"

namespace lean::beacon {

struct StorageOptions {
  // When more than this waits, or for longer, nothing is admitted. With a lag below a slot, every block is on disk
  // before it can be finalized.
  size_t queue_bytes = size_t{128} << 20;
  std::chrono::milliseconds queue_lag{4000};
  size_t batch_bytes = size_t{16} << 20;  // approximate size of a batch
  uint64_t snapshot_slots = 32;           // keep the first state of every branch in this many slots
  // Blocks further behind finality are deleted (DropOldBlocks); nullopt: none.
  std::optional<uint64_t> keep_slots = std::nullopt;
  std::chrono::milliseconds retry{1000};  // between attempts while the disk fails
  std::chrono::milliseconds check{1000};  // between checks of an idle disk
  std::chrono::milliseconds tip{4000};    // least time between two writes of the chain's tip: a slot
  // How long a vote waits for a block that contains it before it is written by itself. More than a slot, so that most
  // votes are written once.
  std::chrono::milliseconds vote_wait{6000};
  // Least time between two batches, so that votes that arrive one by one are not written and synced one by one.
  std::chrono::milliseconds pause{50};
};

// One thread writes the pushed items in order, in atomic batches with fsync. Votes wait in memory until a block that
// contains them is written, or for `vote_wait`: a crash loses only votes of that time that no stored block has. While
// the disk fails or the folder is gone, nothing is accepted, and the batch is retried until it succeeds. Thread-safe,
// except for Start and Stop.
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
  // For one thread that does everything, such as a simulation's, instead of Start: writes a batch of what waits, and
  // the votes that are due. After a failure it tries the same batch again, once options.retry have passed. False:
  // nothing waits, or the disk fails.
  bool Step();
  // Writes what waits and joins the thread; a failing disk is tried once more. To be called after the chain's writer
  // has stopped. May be called again.
  void Stop();

  void BlockImported(const Root& root, const SignedBlockPtr& block, const StatePtr& post_state,
                     const VoteMap& known_votes) override;
  void VoteAccepted(const SignedVotePtr& vote) override;
  void CheckpointsChanged(const ChainCheckpoints& checkpoints) override;
  absl::Status CanAccept() const override;

  // OK, or why the disk takes no writes at the moment.
  absl::Status Health() const;
  // Calls `changed` now and with every change of health, on any thread, which it must not block. Null removes it.
  void WatchHealth(std::function<void(const absl::Status&)> changed);
  // Of what is to be written, with the votes that wait for their block.
  metrics::Footprint queue() const;
  // Waits until everything pushed before is on disk, except votes that wait. Does not return while the disk fails.
  void Flush() const { queue_.AwaitEmpty(); }

 private:
  void Run();
  WriteSet Prepare(const std::vector<StorageItem>& items);
  // What follows a batch that is written.
  void Finish();
  void AddVote(const SignedVotePtr& vote);
  // Forgets the waiting votes that `block` contains.
  void ForgetVotesIn(const SignedBlockWithAttestation& block);
  // Takes the votes that have waited since `until` or longer, and adds them to `writes`.
  void PutWaitingVotes(SteadyTime until, WriteSet& writes);
  void PutVote(const SignedAttestation& vote, WriteSet& writes);
  // Writes canonical roots up to the block that `block` finalizes, and deletes branches that leave below it.
  void Finalize(const ImportedBlock& block, WriteSet& writes);
  // Retries until it succeeds; false: the service stops.
  bool Write(const WriteSet& writes);
  // Tries once, after an attempt to recover if the last try has failed. Logs when the disk begins and ceases to fail.
  bool TryWrite(const WriteSet& writes);
  // Deletes old blocks as keep_slots says.
  void DropOld();
  // Writes the tip beside the database when it has changed and is due, or when this is the `last` time.
  void WriteTip(bool last);
  void SetHealth(absl::Status health);
  // False: the service stops.
  bool WaitToRetry();

  ChainDatabase& database_;
  Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const StorageOptions options_;
  StorageQueue queue_;

  uint64_t told_finalized_slot_ = 0;  // used by the chain's writer only

  // Used by the thread only. Bounded by the registry's size.
  uint64_t canonical_slot_ = 0;  // canonical roots are written up to this slot
  Checkpoint justified_;
  absl::flat_hash_map<uint64_t, uint64_t> vote_slots_;  // by validator: slot of the vote that was written last
  struct WaitingVote {
    SignedVotePtr vote;  // the newest
    SteadyTime since;    // arrival of the first vote since one was written
  };
  absl::flat_hash_map<uint64_t, WaitingVote> waiting_votes_;  // by validator
  std::atomic<size_t> votes_waiting_ = 0;                     // their number, for all threads
  SteadyTime votes_checked_;                                  // when it was last looked for votes that are due
  ChainTip tip_;                                              // of the written chain
  ChainTip written_tip_;                                      // in the file beside the database
  SteadyTime tip_due_;
  bool tip_failed_ = false;  // already logged
  bool disk_fails_ = false;
  std::optional<WriteSet> unwritten_;  // of Step: a batch that could not be written
  SteadyTime retry_at_;                // of Step

  mutable Mutex mutex_;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const absl::Status&)> health_changed_ ABSL_GUARDED_BY(mutex_);
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_STORAGE_SERVICE_H_
