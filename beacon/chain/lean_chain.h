// LeanChain: blocks, states, votes, fork choice and time. Source: leanSpec 050fa4a, forkchoice/store.py. It accepts and
// computes what the reference does; docs/spec_deviations.md lists the differences around it.
//
// Pure and deterministic: no locks, clock, I/O or logging. Results, errors and changes are values. A call that returns
// an error changes nothing. Thread compatible: const methods may run concurrently, others exclusively (ChainService
// ensures this). The caller has verified all signatures; LeanChain checks their number and the validators' indices.
#ifndef LEAN_BEACON_CHAIN_LEAN_CHAIN_H_
#define LEAN_BEACON_CHAIN_LEAN_CHAIN_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "beacon/chain/branch.h"
#include "beacon/chain/builders.h"
#include "beacon/chain/chain_error.h"
#include "beacon/chain/chain_functions.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/fork_choice.h"
#include "beacon/chain/state_transition.h"
#include "beacon/chain/vote_map.h"
#include "common/metrics/footprint.h"

namespace lean::beacon {

// What Prune keeps in memory, with or without finality. The limits do not change which blocks above the finalized block
// are accepted: a block on a pruned state is kNeedsState.
struct PruneLimits {
  // The newest post-states, in order of arrival; those of the head, the justified and the finalized block stay as well.
  // Each takes 5 to 10 KB, plus up to twice the lists of votes that are being collected.
  size_t states = 2048;
  // The newest blocks with their signatures, and their bytes.
  size_t blocks = SIZE_MAX;
  uint64_t block_bytes = uint64_t{256} << 20;
};

// A block of the tree above the finalized one.
struct TreeBlock {
  Root root;
  Root parent_root;
  uint64_t slot = 0;
};

class LeanChain {
 public:
  // Starts from a trusted block and its post-state, which count as justified and finalized. kInvalid: the block's state
  // root is not the state's, or the lengths of the state's lists do not match each other or the block's slot.
  // `known_roots` are further blocks that votes may name: blocks that this node has once imported, orphans included.
  // One above the anchor can still be imported.
  static absl::StatusOr<LeanChain> FromAnchor(StatePtr state, BlockPtr block,
                                              absl::Span<const Checkpoint> known_roots = {},
                                              AnchorHistory history = AnchorHistory::kKnown,
                                              ChainFunctions functions = {});

  // Continues a chain that this node had before. `blocks` is the tree: the finalized block, then those above it,
  // parents first. `justified` is one of them, and `state` is the post-state of one of them. The tree's blocks count as
  // imported. kInvalid: these parts do not match.
  static absl::StatusOr<LeanChain> FromTree(absl::Span<const TreeBlock> blocks, const Checkpoint& justified,
                                            StatePtr state, absl::Span<const Checkpoint> known_roots);

  LeanChain(LeanChain&&) = default;
  LeanChain& operator=(LeanChain&&) = default;

  // --- Changes ---

  // Imports a block. Errors: see chain_error.h. A block that is already in the chain is reported as already_known.
  // `block` is not null.
  absl::StatusOr<ChainEvents> OnBlock(SignedBlockPtr block, ImportMode mode = ImportMode::kLive,
                                      const TransitionWatch& watch = nullptr);

  // Takes a vote from gossip. It counts in fork choice from interval 3 on. `vote` is not null.
  absl::StatusOr<ChainEvents> OnVote(SignedVotePtr vote);

  // Advances time interval by interval up to the given one. Does nothing when that is in the past.
  ChainEvents OnInterval(uint64_t interval_since_genesis);

  // Sets time back to the given interval, after a clock that was ahead has been corrected; the reference never does
  // this. Drops votes of later slots. Blocks of later slots stay, since others may build on them; one of them may be
  // the head. Does nothing when the interval is not in the past.
  ChainEvents SetTimeBack(uint64_t interval_since_genesis);

  // Adds a post-state that was pruned, so that calls that returned kNeedsState succeed. The state identifies its block.
  // False: that block is not in the tree, and nothing changes.
  bool AddState(StatePtr state);

  // Drops what is behind finality or exceeds the limits. When it is called after every import, each block costs at most
  // 180 bytes for good (root, slot and place in the tree), besides the protocol's own lists of roots. Its time is
  // proportional to what is dropped; blocks behind finality leave the tree once they are more than half of it. Returns
  // the dropped blocks, so that the caller frees their memory off its lock.
  std::vector<SignedBlockPtr> Prune(const PruneLimits& limits);

  // --- Checkpoints and time ---

  const Checkpoint& head() const { return head_; }
  const Checkpoint& safe_target() const { return safe_target_; }
  const Checkpoint& justified() const { return justified_; }
  const Checkpoint& finalized() const { return finalized_; }
  const Checkpoint& anchor() const { return anchor_; }
  // Intervals since genesis, and the slot they lie in.
  uint64_t time_intervals() const { return time_; }
  uint64_t current_slot() const { return time_ / kChainIntervalsPerSlot; }
  const Config& config() const { return config_; }

  // --- Blocks and states ---

  // True for a block that need not be imported: for every imported block, orphans and pruned blocks included, for the
  // anchor, and for known blocks below it.
  bool HasBlock(const Root& root) const;
  // The slot of a known block: imported, or made known by the anchor. nullopt for others.
  std::optional<uint64_t> SlotOf(const Root& root) const;
  // Number of imported blocks, the anchor included.
  size_t imported_blocks() const { return imported_; }
  // Number of known blocks, imported ones included.
  size_t known_blocks() const { return known_blocks_.size(); }
  // Number of blocks whose content is in memory.
  size_t held_blocks() const { return blocks_.size(); }

  // Null when unknown or pruned. The anchor has no signed form.
  SignedBlockPtr SignedBlockOf(const Root& root) const;
  BlockPtr BlockOf(const Root& root) const;
  // The block's post-state; null when unknown or pruned.
  StatePtr StateOf(const Root& root) const;
  // Null while the head's state is pruned, which can happen when an old branch becomes the head. Duties are then
  // kNeedsState until AddState provides it.
  const StatePtr& head_state() const { return head_state_; }
  size_t held_states() const { return states_.size(); }
  // Everything that grows with the chain.
  metrics::FootprintList footprints() const;
  size_t validator_count() const { return validator_count_; }
  // The block with its ancestors. nullopt: the block is unknown, or it was dropped from the tree and is not canonical.
  // Its time is proportional to the blocks of the branch that are not canonical.
  std::optional<Branch> BranchOf(const Root& root) const;

  // The block at a slot of the head's chain, back to genesis even when the anchor is later. nullopt: an empty slot, or
  // one beyond the head.
  std::optional<Root> CanonicalRoot(uint64_t slot) const;
  // The parent of a block of the tree; nullopt for others and for the tree's first block.
  std::optional<Checkpoint> ParentOf(const Root& root) const { return fork_choice_.ParentOf(root); }
  // The head or an ancestor of it.
  bool IsCanonical(const Root& root) const;

  // --- Votes and fork choice ---

  const VoteMap& known_votes() const { return known_; }      // counted in fork choice
  const VoteMap& pending_votes() const { return pending_; }  // waiting for interval 3
  // Slot of the validator's newest vote, known or pending.
  std::optional<uint64_t> LatestVoteSlot(uint64_t validator) const;
  // The block tree from the finalized block up, parents first, with weights; of more than `limit` blocks the newest.
  std::vector<ForkChoiceNode> ForkChoiceNodes(size_t limit = SIZE_MAX) const {
    return fork_choice_.Nodes(finalized_.root, limit);
  }
  // Blocks of the tree in memory: those above the finalized block, and at most as many that are not dropped yet.
  size_t tree_blocks() const { return fork_choice_.size(); }

  // --- Duties: snapshots from which blocks and votes are built off the lock. They cost one step for each validator.
  // ---

  // kFuture: `slot` is more than one slot ahead. kTooOld: it is not newer than the head. kNeedsState, of both calls:
  // the state of the block to build on is not in memory, and `head_state` is not that state.
  absl::StatusOr<ProposalSnapshot> PrepareProposal(uint64_t slot, const StatePtr& head_state = nullptr) const;
  // kFuture: `slot` is more than one slot ahead.
  absl::StatusOr<VoteSnapshot> PrepareVote(uint64_t slot, const StatePtr& head_state = nullptr) const;

 private:
  struct HeldBlock {
    uint64_t bytes = 0;  // size in memory, about
    SignedBlockPtr signed_block;
    BlockPtr block;
  };

  // Kept for every imported block for good, so it is small.
  struct KnownBlock {
    uint32_t slot : 31 = 0;
    uint32_t imported : 1 = 0;
  };

  // Without a state; FromTree and the other constructor complete it.
  LeanChain(const Checkpoint& anchor, const Root& parent_root, const State& state);
  LeanChain(StatePtr state, BlockPtr block, const Root& root);
  void AddKnown(const Root& root, uint64_t slot);
  void AddHistory(const State& state, uint64_t end_slot);

  // Checks the block and returns its post-state.
  absl::StatusOr<StatePtr> CheckBlock(const SignedBlockWithAttestation& signed_block, const Checkpoint& id,
                                      const Root& body_root, ImportMode mode, const TransitionWatch& watch) const;
  absl::Status CheckBlockVotes(const SignedBlockWithAttestation& signed_block, const Checkpoint& id) const;
  // The root of `importing`, a block that is about to be imported, counts as known. May be null.
  absl::Status CheckVote(const AttestationData& data, const Checkpoint* importing) const;
  absl::Status CheckGossipVote(const AttestationData& data, const Checkpoint* importing) const;
  absl::Status CheckVoteRoot(absl::string_view what, const Checkpoint& checkpoint, bool check_slot,
                             const Checkpoint* importing) const;
  void Insert(const Checkpoint& id, SignedBlockPtr signed_block, StatePtr post_state);
  void InsertState(const Root& root, StatePtr state);
  void CountBodyVote(const Attestation& vote, const SignatureBytes& signature);
  void AddPending(SignedVotePtr vote);
  void DropVotesAfter(uint64_t slot);
  void AcceptPending();
  void UpdateHead();
  void UpdateSafeTarget();
  void Tick();
  VoteSnapshot View() const;
  // The changes since an earlier view.
  ChainEvents EventsSince(const VoteSnapshot& before) const;

  ChainFunctions functions_;
  Config config_;
  Checkpoint anchor_;
  uint64_t oldest_slot_ = 0;  // the head's chain is known from here on
  uint64_t time_ = 0;         // intervals since genesis
  Checkpoint head_;
  StatePtr head_state_;
  HistoricalBlockHashes head_history_;  // of head_state_, also while that is null
  size_t validator_count_ = 0;          // constant in pq-devnet-1
  Checkpoint safe_target_;
  Checkpoint justified_;
  Checkpoint finalized_;

  absl::flat_hash_map<Root, KnownBlock> known_blocks_;
  size_t imported_ = 0;  // of them
  absl::flat_hash_map<Root, HeldBlock> blocks_;
  absl::flat_hash_map<Root, StatePtr> states_;
  std::deque<Root> block_order_;  // of blocks_, in order of import, without the anchor
  std::deque<Root> state_order_;  // of states_, in the order in which they came
  uint64_t held_bytes_ = 0;       // of blocks_
  uint64_t state_bytes_ = 0;      // of states_

  VoteMap known_;
  VoteMap pending_;
  ForkChoice fork_choice_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_LEAN_CHAIN_H_
