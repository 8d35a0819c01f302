// What a beacon remembers of its chain, typed: a folder for one chain, in one schema, of one process.
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
#include "beacon/services/states/state_source.h"
#include "beacon/storage/database/database.h"
#include "common/config/genesis.h"
#include "common/process/process_lock.h"

namespace lean::beacon {

struct ChainFolder {
  std::string path;                         // made with mode 0700 when it is not there
  std::string network = {};                 // the network's name, for people
  uint64_t min_free_bytes = kMinFreeBytes;  // as of DatabaseOptions
  rocksdb::Env* env = nullptr;              // as of DatabaseOptions
  std::stop_token stop = {};                // as of DatabaseOptions
};

// A block and its post-state that are trusted: what a chain can be started from.
struct Anchor {
  StatePtr state;
  BlockPtr block;
  SignedBlockPtr signed_block;  // null for genesis
  Root root;                    // of the block
};

// What memory keeps of a chain whose blocks and states are on disk as well.
inline constexpr PruneLimits kInMemoryBesideDisk{.states = 512, .blocks = 512, .block_bytes = uint64_t{32} << 20};

// A finalized state of the database, with its block.
struct StoredState {
  StatePtr state;
  SignedBlockPtr block;
  Root root;  // of the block
};

// Thread-safe. Errors as of Database; kDataLoss also for content that does not fit its key.
class ChainDatabase final : public StateSource {
 public:
  // Blocks that a state is computed from at most: twice what lies between two states of a chain that is kept.
  static constexpr uint64_t kMaxReplayedBlocks = 64;

  // Opens the folder of this chain, or makes it, beginning at `anchor` (genesis, unless it is told otherwise).
  // FailedPrecondition: another process has it, it is of another chain, or of a schema that this program does not know;
  // the message names both.
  static absl::StatusOr<std::unique_ptr<ChainDatabase>> OpenOrCreate(const ChainFolder& folder, const Genesis& genesis,
                                                                     const std::optional<Anchor>& anchor);
  // Opens a folder that is there, of whatever chain, and changes nothing in it when `read_only`. NotFound: there is
  // none.
  static absl::StatusOr<std::unique_ptr<ChainDatabase>> Open(const ChainFolder& folder, bool read_only);
  // Whether the folder has a database.
  static bool Exists(const std::string& path);

  // --- Reading ---

  absl::StatusOr<std::optional<Checkpoint>> ReadCheckpoint(const char* meta_key) const;
  // Where it began. Blocks before it come by backfill.
  const Checkpoint& anchor() const { return anchor_; }
  // Bodies of all canonical blocks are held from this slot on (genesis has none). Not below FloorSlot.
  absl::StatusOr<uint64_t> OldestSlot() const;
  // Nobody wants bodies below it: 1, unless they were dropped on request.
  absl::StatusOr<uint64_t> FloorSlot() const;

  // Null: not held.
  absl::StatusOr<SignedBlockPtr> BlockByRoot(const Root& root) const;
  absl::StatusOr<SignedBlockPtr> BlockAt(const Checkpoint& id) const;
  // On the finalized chain; nullopt for a slot without a block and beyond it.
  absl::StatusOr<std::optional<Root>> CanonicalRoot(uint64_t slot) const;
  absl::StatusOr<std::optional<uint64_t>> SlotOf(const Root& root) const;
  // Every block ever imported.
  absl::StatusOr<std::vector<Checkpoint>> KnownBlocks() const;
  // Those whose bodies are held, from a slot on, ascending.
  absl::StatusOr<std::vector<Checkpoint>> HeldBlocks(uint64_t first_slot) const;
  absl::StatusOr<std::vector<SignedVotePtr>> Votes() const;

  // Slots and roots of all snapshots, ascending; above the finalized block those of every branch.
  absl::StatusOr<std::vector<Checkpoint>> Snapshots() const;
  // The newest one that is not above `slot`; nullopt: there is none.
  absl::StatusOr<std::optional<Checkpoint>> SnapshotUpTo(uint64_t slot) const;
  // The state of one of them, compared with what its block says. kDataLoss: it is another one.
  absl::StatusOr<StoredState> ReadSnapshot(const Checkpoint& id) const;
  // The post-state of a block of the finalized chain, as Rebuild has it. Null: no such block, or its state cannot be
  // had.
  absl::StatusOr<StatePtr> StateOf(const Checkpoint& id) const;
  // The newest snapshot on the branch that is right, or genesis, and the blocks since, one at a time in memory.
  // kNotFound: no snapshot is within kMaxReplayedBlocks, or not every block in between is held.
  absl::StatusOr<StatePtr> Rebuild(const Branch& branch) const override;

  // The blocks that descend from the finalized one, which comes first, up to a slot, parents before their children.
  // Blocks that an older program wrote are missing, and so are those above them.
  absl::StatusOr<std::vector<TreeBlock>> Tree(const Checkpoint& finalized, uint64_t last_slot) const;
  // The state of a snapshot, with these historical roots. `like`: as of RestoreState. kDataLoss: it is not that
  // block's.
  absl::StatusOr<StatePtr> SnapshotState(const Checkpoint& id, absl::Span<const Root> history,
                                         const HistoricalBlockHashes& like = {}) const;
  // Of the finalized chain, by slot, below `end_slot`; zero for slots without a block.
  absl::StatusOr<std::vector<Root>> CanonicalRoots(uint64_t end_slot) const;

  // --- Writing: additions to a batch, and the batch ---

  static void PutBlock(WriteSet& writes, const Root& root, const SignedBlockWithAttestation& block);
  static void PutSlot(WriteSet& writes, const Checkpoint& id);
  static void PutCanonical(WriteSet& writes, const Checkpoint& id);
  // The link of a block above the finalized one.
  static void PutParent(WriteSet& writes, const Checkpoint& id, const Root& parent_root);
  // Links and snapshots of the blocks in `first_slot` to finalized.slot go, but the snapshots of the finalized chain,
  // whose roots by slot `history` has. What is put afterwards stays.
  absl::Status DropBranches(WriteSet& writes, uint64_t first_slot, const Checkpoint& finalized,
                            const HistoricalBlockHashes& history) const;
  static void PutCheckpoint(WriteSet& writes, const char* meta_key, const Checkpoint& checkpoint);
  static void PutOldestSlot(WriteSet& writes, uint64_t slot);
  static void PutFloorSlot(WriteSet& writes, uint64_t slot);
  // Bodies and snapshots below `slot` go, and it becomes the floor.
  static void DropBelow(WriteSet& writes, uint64_t slot);
  static void PutVote(WriteSet& writes, const SignedAttestation& vote);
  static void PutSnapshot(WriteSet& writes, const Checkpoint& id, const State& state);

  // The data folder, and the database's files in it.
  const std::string& folder() const { return folder_; }
  Database& files() { return *files_; }
  const Database& files() const { return *files_; }
  const Genesis& genesis() const { return genesis_; }
  const std::string& network() const { return network_; }

 private:
  ChainDatabase(std::string folder, ProcessLock lock, std::unique_ptr<Database> files)
      : folder_(std::move(folder)), lock_(std::move(lock)), files_(std::move(files)) {}

  // Takes the folder's lock and opens its files; nothing of them is looked at yet.
  static absl::StatusOr<std::unique_ptr<ChainDatabase>> OpenFiles(const ChainFolder& folder, bool create,
                                                                  bool read_only);
  // Reads what the folder is, into genesis_ and anchor_. False: it is new and has nothing yet.
  absl::StatusOr<bool> ReadIdentity();
  // Writes what the folder is from now on.
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
