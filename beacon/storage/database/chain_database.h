// ChainDatabase: the typed database of one chain, in a folder that one process uses.
#ifndef LEAN_BEACON_STORAGE_DATABASE_CHAIN_DATABASE_H_
#define LEAN_BEACON_STORAGE_DATABASE_CHAIN_DATABASE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "beacon/chain/branch.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/lean_chain.h"
#include "beacon/services/state_rebuilder.h"
#include "beacon/storage/database/database.h"
#include "common/config/genesis.h"
#include "common/process/process_lock.h"

namespace lean::beacon {

struct ChainFolder {
  std::string path;                         // created with mode 0700 when it does not exist
  std::string network = {};                 // the network's name, for people
  uint64_t min_free_bytes = kMinFreeBytes;  // as of DatabaseOptions
  size_t direct_bytes = kDirectBytes;       // as of DatabaseOptions
  size_t direct_files = kDirectFiles;       // as of DatabaseOptions
  rocksdb::Env* env = nullptr;              // as of DatabaseOptions
  std::stop_token stop = {};                // as of DatabaseOptions
};

// A trusted block and its post-state, from which a chain can start.
struct Anchor {
  StatePtr state;
  BlockPtr block;
  SignedBlockPtr signed_block;  // null for genesis
  Root root;                    // of the block
};

// What memory keeps of a chain that is also on disk.
inline constexpr PruneLimits kInMemoryBesideDisk{.states = 512, .blocks = 512, .block_bytes = uint64_t{32} << 20};

// A finalized state and its block.
struct StoredState {
  StatePtr state;
  SignedBlockPtr block;
  Root root;  // of the block
};

// Thread-safe. Errors as of Database; kDataLoss also when a value does not match its key.
class ChainDatabase final : public StateSource {
 public:
  // The most blocks that Rebuild replays: twice the distance between two snapshots.
  static constexpr uint64_t kMaxReplayedBlocks = 64;

  // Where a new chain begins.
  using MakeAnchor = std::function<absl::StatusOr<Anchor>()>;

  // Opens the folder of this chain. If it holds none, also because an earlier creation was interrupted, creates it with
  // the result of `make_anchor`, or with genesis if that is null. FailedPrecondition: another process uses the folder,
  // or it holds another chain or an unknown schema; the message names both. Errors of `make_anchor`.
  static absl::StatusOr<std::unique_ptr<ChainDatabase>> OpenOrCreate(const ChainFolder& folder, const Genesis& genesis,
                                                                     const MakeAnchor& make_anchor = nullptr);
  // Opens an existing folder of any chain, and changes nothing in it when `read_only`. NotFound: there is no folder.
  static absl::StatusOr<std::unique_ptr<ChainDatabase>> Open(const ChainFolder& folder, bool read_only);
  // Whether the folder holds a database.
  static bool Exists(const std::string& path);

  // --- Reading ---

  absl::StatusOr<std::optional<Checkpoint>> ReadCheckpoint(const char* meta_key) const;
  // Where the chain has started. Backfill fetches older blocks.
  const Checkpoint& anchor() const { return anchor_; }
  // The bodies of all canonical blocks are held from this slot on (genesis has none). Not below FloorSlot.
  absl::StatusOr<uint64_t> OldestSlot() const;
  // Bodies below it are not kept: 1, unless pruning has raised it.
  absl::StatusOr<uint64_t> FloorSlot() const;

  // Null: not held.
  absl::StatusOr<SignedBlockPtr> BlockByRoot(const Root& root) const;
  absl::StatusOr<SignedBlockPtr> BlockAt(const Checkpoint& id) const;
  // The block of the finalized chain at `slot`; nullopt: there is none.
  absl::StatusOr<std::optional<Root>> CanonicalRoot(uint64_t slot) const;
  absl::StatusOr<std::optional<uint64_t>> SlotOf(const Root& root) const;
  // All blocks that were ever imported.
  absl::StatusOr<std::vector<Checkpoint>> KnownBlocks() const;
  // Blocks whose bodies are held, from a slot on, ascending.
  absl::StatusOr<std::vector<Checkpoint>> HeldBlocks(uint64_t first_slot) const;
  absl::StatusOr<std::vector<SignedVotePtr>> Votes() const;

  // Slots and roots of all snapshots, ascending; above the finalized block those of every branch.
  absl::StatusOr<std::vector<Checkpoint>> Snapshots() const;
  // The newest snapshot at or below `slot`; nullopt: none.
  absl::StatusOr<std::optional<Checkpoint>> SnapshotUpTo(uint64_t slot) const;
  // The state of a snapshot. kDataLoss: it does not match its block.
  absl::StatusOr<StoredState> ReadSnapshot(const Checkpoint& id) const;
  // The post-state of a block of the finalized chain, by Rebuild. Null: there is no such block, or no state to start
  // from.
  absl::StatusOr<StatePtr> StateOf(const Checkpoint& id) const;
  // Replays the blocks of the branch from its newest right snapshot, or from genesis, one block in memory at a time.
  // kNotFound: no snapshot is within kMaxReplayedBlocks, or a block in between is missing.
  absl::StatusOr<StatePtr> Rebuild(const Branch& branch) const override;

  // The finalized block and its descendants up to a slot, parents before children. Blocks that an older program has
  // written are missing, and so are those above them.
  absl::StatusOr<std::vector<TreeBlock>> Tree(const Checkpoint& finalized, uint64_t last_slot) const;
  // The state of a snapshot, with these historical roots. `like`: as of RestoreState. kDataLoss: it is not the block's
  // state.
  absl::StatusOr<StatePtr> SnapshotState(const Checkpoint& id, absl::Span<const Root> history,
                                         const HistoricalBlockHashes& like = {}) const;
  // Roots of the finalized chain below `end_slot`, by slot; zero for slots without a block.
  absl::StatusOr<std::vector<Root>> CanonicalRoots(uint64_t end_slot) const;

  // --- Writing: these add to a batch, which files().Write writes ---

  static void PutBlock(WriteSet& writes, const Root& root, const SignedBlockPtr& block);
  static void PutSlot(WriteSet& writes, const Checkpoint& id);
  static void PutCanonical(WriteSet& writes, const Checkpoint& id);
  // Links a block above the finalized one to its parent.
  static void PutParent(WriteSet& writes, const Checkpoint& id, const Root& parent_root);
  // Deletes links and snapshots of the blocks in `first_slot` to finalized.slot, except for the snapshots of the
  // finalized chain, whose roots by slot are `history`. Later additions to the batch stay.
  absl::Status DropBranches(WriteSet& writes, uint64_t first_slot, const Checkpoint& finalized,
                            const HistoricalBlockHashes& history) const;
  static void PutCheckpoint(WriteSet& writes, const char* meta_key, const Checkpoint& checkpoint);
  static void PutOldestSlot(WriteSet& writes, uint64_t slot);
  static void PutFloorSlot(WriteSet& writes, uint64_t slot);
  // Deletes bodies and snapshots below `slot`, which becomes the floor.
  static void DropBelow(WriteSet& writes, uint64_t slot);
  static void PutVote(WriteSet& writes, const SignedAttestation& vote);
  static void PutSnapshot(WriteSet& writes, const Checkpoint& id, const State& state);

  // The data folder and the files in it.
  const std::string& folder() const { return folder_; }
  Database& files() { return *files_; }
  const Database& files() const { return *files_; }
  const Genesis& genesis() const { return genesis_; }
  const std::string& network() const { return network_; }

 private:
  ChainDatabase(std::string folder, ProcessLock lock, std::unique_ptr<Database> files)
      : folder_(std::move(folder)), lock_(std::move(lock)), files_(std::move(files)) {}

  // Locks the folder and opens its files without checking their content.
  static absl::StatusOr<std::unique_ptr<ChainDatabase>> OpenFiles(const ChainFolder& folder, bool create,
                                                                  bool read_only);
  // Reads genesis_ and anchor_. False: the folder is new.
  absl::StatusOr<bool> ReadIdentity();
  // Writes genesis and anchor of a new folder.
  absl::Status WriteIdentity(const std::string& network, const Genesis& genesis, const Anchor& anchor);
  // The newest snapshot of the block or an ancestor of it, from `end` on backwards; `history`: the ancestors by slot.
  absl::StatusOr<std::optional<Checkpoint>> SnapshotOn(const Checkpoint& block, absl::Span<const Root> history,
                                                       const Checkpoint& end) const;
  absl::Status Damaged(absl::string_view what) const;

  const std::string folder_;
  const ProcessLock lock_;
  const std::unique_ptr<Database> files_;
  std::string network_;
  Genesis genesis_;
  Checkpoint anchor_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_STORAGE_DATABASE_CHAIN_DATABASE_H_
