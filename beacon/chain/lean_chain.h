// The chain as a node sees it: blocks, states, votes, fork choice, time. Source: leanSpec 050fa4a, forkchoice/store.py,
// which it follows in all it accepts and computes; docs/spec_deviations.md lists what differs around it.
//
// Pure and deterministic: no locks, clock, I/O or logging. Results, errors and changes are values. A call that is
// refused changes nothing. Thread compatible: const methods may run at the same time, others alone (ChainService sees
// to it). Signatures are not checked here: who submits has checked them. Their count and the validators' indices are.
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
#include "beacon/chain/block_builder.h"
#include "beacon/chain/branch.h"
#include "beacon/chain/chain_error.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/fork_choice.h"
#include "beacon/chain/vote_builder.h"
#include "beacon/chain/vote_map.h"

namespace lean::beacon {

// What Prune keeps in memory, whatever finality does. Nothing of it changes what the chain accepts on the branches that
// descend from the finalized block: a block that builds on a state that is not there is kNeedsState.
struct PruneLimits {
  // Post-states, the newest in the order in which they came; those of the head, the justified and the finalized block
  // stay beyond that. One takes 5 to 10 KB of its own, up to twice the lists of votes being collected.
  size_t states = 2048;
  // Blocks with their signatures, the newest, and their bytes.
  size_t blocks = SIZE_MAX;
  uint64_t block_bytes = uint64_t{256} << 20;
};

// A block that Prune let go of, for a database.
struct PrunedBlock {
  Root root;
  uint64_t slot = 0;
  bool canonical = false;
  SignedBlockPtr block;
};

// A block of the tree above the finalized one.
struct TreeBlock {
  Root root;
  Root parent_root;
  uint64_t slot = 0;
};

class LeanChain {
 public:
  // Starts from a trusted block and its post-state: both justified and finalized. kInvalid: the block's state root is
  // not the state's, or the lengths of the state's lists do not fit each other or the block's slot.
  // `known_roots` are further blocks that count as known wherever a vote names them: those that this node once
  // imported, orphans included. One above the anchor can still be imported.
  static absl::StatusOr<LeanChain> FromAnchor(StatePtr state, BlockPtr block,
                                              absl::Span<const Checkpoint> known_roots = {},
                                              AnchorHistory history = AnchorHistory::kKnown);

  // Goes on in the middle of a chain, as this node once had it. `blocks` is the tree: the finalized block, then those
  // above it, parents first. `justified` is one of them. `state` is the post-state of one of them, whose signed form
  // is not needed. The tree's blocks count as imported. kInvalid: these parts do not fit together.
  static absl::StatusOr<LeanChain> FromTree(absl::Span<const TreeBlock> blocks, const Checkpoint& justified,
                                            StatePtr state, absl::Span<const Checkpoint> known_roots);

  LeanChain(LeanChain&&) = default;
  LeanChain& operator=(LeanChain&&) = default;

  // --- Changes ---

  // Imports a block. Errors: see chain_error.h. A block that is in the chain already is no error: already_known.
  // `block` is not null.
  absl::StatusOr<ChainEvents> OnBlock(SignedBlockPtr block, ImportMode mode = ImportMode::kLive);

  // Takes a vote from gossip; it counts in fork choice from interval 3 on. `vote` is not null.
  absl::StatusOr<ChainEvents> OnVote(SignedVotePtr vote);

  // Advances time interval by interval up to the given one; a time in the past is no error and changes nothing.
  // has_proposal: the last of them sees a proposal and accepts pending votes if it is interval 0 (for replay; the live
  // node passes false).
  ChainEvents OnInterval(uint64_t interval_since_genesis, bool has_proposal);

  // Sets time back to the given interval, for a clock that was ahead and has been set; the reference's never goes back.
  // As if it had not been ahead: votes of later slots are dropped. Blocks of later slots stay, since others may build
  // on them, and so may the head be one. A time that is not in the past is no error and changes nothing.
  ChainEvents SetTimeBack(uint64_t interval_since_genesis);

  // Takes a post-state that the chain has let go of, so that what was kNeedsState can go on. It needs no trust: it says
  // itself of which block it is. False: that is no block of the tree, and nothing happens.
  bool AddState(StatePtr state);

  // Drops what lies behind finality and beyond the limits. Call it after every import: whether anything is finalized or
  // not, each block then adds at most 180 bytes for good (its root and slot, its place in the tree), and what the
  // protocol's own lists of roots take. Costs what was dropped; the tree is cleared of what lies behind finality once
  // that is more than half of it.
  std::vector<PrunedBlock> Prune(const PruneLimits& limits);

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

  // True for a block that need not be imported (again): for every one ever imported, orphans and pruned ones included,
  // for the anchor, and for known ones below it.
  bool HasBlock(const Root& root) const;
  // The slot of a known block: imported, or made known by the anchor. nullopt for others.
  std::optional<uint64_t> SlotOf(const Root& root) const;
  // How many blocks were imported, the anchor included.
  size_t imported_blocks() const { return imported_; }
  // How many are known, the imported ones included.
  size_t known_blocks() const { return known_blocks_.size(); }
  // How many of them are held with their content.
  size_t held_blocks() const { return blocks_.size(); }

  // Null when unknown or pruned. The anchor has no signed form.
  SignedBlockPtr SignedBlockOf(const Root& root) const;
  BlockPtr BlockOf(const Root& root) const;
  // The block's post-state; null when unknown or pruned.
  StatePtr StateOf(const Root& root) const;
  // Null while the head is a block whose state was pruned, which a move to a branch long abandoned can lead to: duties
  // are kNeedsState until it is given (AddState).
  const StatePtr& head_state() const { return head_state_; }
  size_t held_states() const { return states_.size(); }
  size_t validator_count() const { return validator_count_; }
  // The block with what tells all of its ancestors. nullopt: it is unknown, or was dropped from the tree and is not
  // canonical. Costs the blocks that the block's branch has beside the head's.
  std::optional<Branch> BranchOf(const Root& root) const;

  // The block at a slot on the head's chain (which reaches back to genesis even when the anchor is later); nullopt for
  // an empty slot and beyond the head.
  std::optional<Root> CanonicalRoot(uint64_t slot) const;
  // The parent of a block of the tree; nullopt for others and for the tree's first block.
  std::optional<Checkpoint> ParentOf(const Root& root) const { return fork_choice_.ParentOf(root); }
  // The head or an ancestor of it.
  bool IsCanonical(const Root& root) const;

  // --- Votes and fork choice ---

  const VoteMap& known_votes() const { return known_; }      // counted in fork choice
  const VoteMap& pending_votes() const { return pending_; }  // waiting for interval 3
  // Slot of the validator's newest vote, counted or pending.
  std::optional<uint64_t> LatestVoteSlot(uint64_t validator) const;
  // The block tree from the finalized block up, parents first, with weights; of more than `limit` blocks the newest.
  std::vector<ForkChoiceNode> ForkChoiceNodes(size_t limit = SIZE_MAX) const {
    return fork_choice_.Nodes(finalized_.root, limit);
  }
  // Blocks of the tree in memory: those above the finalized one, and at most as many that were not dropped yet.
  size_t tree_blocks() const { return fork_choice_.size(); }

  // The target a vote would have by the reference's own rule; what we vote for is BuildVote. kNeedsState as
  // PrepareVote.
  absl::StatusOr<Checkpoint> AttestationTarget() const;

  // --- Duties: cheap snapshots to build from without holding the chain up. They cost one step for each validator. ---

  // kFuture: `slot` is more than one slot ahead. kTooOld: not newer than the head. Both kNeedsState: the state of the
  // head (or of what would be it) is not in memory, and `head_state` is not it.
  absl::StatusOr<ProposalSnapshot> PrepareProposal(uint64_t slot, const StatePtr& head_state = nullptr) const;
  // kFuture: `slot` is more than one slot ahead.
  absl::StatusOr<VoteSnapshot> PrepareVote(uint64_t slot, const StatePtr& head_state = nullptr) const;

 private:
  struct HeldBlock {
    uint64_t slot = 0;
    uint64_t bytes = 0;  // size in memory, about
    SignedBlockPtr signed_block;
    BlockPtr block;
  };

  // Of every block ever imported, for good: small.
  struct KnownBlock {
    uint32_t slot : 31 = 0;
    uint32_t imported : 1 = 0;
  };

  // Without a state, for the other two to go on from.
  LeanChain(const Checkpoint& anchor, const Root& parent_root, const State& state);
  LeanChain(StatePtr state, BlockPtr block, const Root& root);
  void AddKnown(const Root& root, uint64_t slot);
  void AddHistory(const State& state, uint64_t end_slot);

  // The block's post-state, when everything about it is right.
  absl::StatusOr<State> CheckBlock(const SignedBlockWithAttestation& signed_block, const Checkpoint& id,
                                   const Root& body_root, ImportMode mode) const;
  absl::Status CheckBlockVotes(const SignedBlockWithAttestation& signed_block, const Checkpoint& id) const;
  // `importing`, when given, is a block about to be imported: its root counts as known.
  absl::Status CheckVote(const AttestationData& data, const Checkpoint* importing) const;
  absl::Status CheckGossipVote(const AttestationData& data, const Checkpoint* importing) const;
  absl::Status CheckVoteRoot(absl::string_view what, const Checkpoint& checkpoint, bool check_slot,
                             const Checkpoint* importing) const;
  void Insert(const Checkpoint& id, SignedBlockPtr signed_block, StatePtr post_state);
  void CountBodyVote(const Attestation& vote, const SignatureBytes& signature);
  void AddPending(SignedVotePtr vote);
  void DropVotesAfter(uint64_t slot);
  void AcceptPending();
  void UpdateHead();
  void UpdateSafeTarget();
  void Tick(bool has_proposal);
  VoteSnapshot View() const;
  // What changed since an earlier view.
  ChainEvents EventsSince(const VoteSnapshot& before) const;

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
  uint64_t held_bytes_ = 0;

  VoteMap known_;
  VoteMap pending_;
  ForkChoice fork_choice_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_LEAN_CHAIN_H_
