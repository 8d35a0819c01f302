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
#include "beacon/chain/chain_error.h"
#include "beacon/chain/chain_types.h"
#include "beacon/chain/fork_choice.h"
#include "beacon/chain/vote_builder.h"
#include "beacon/chain/vote_map.h"

namespace lean::beacon {

// What Prune keeps in memory. Nothing of it changes what the chain accepts on the branches that descend from the
// finalized block.
struct PruneLimits {
  // Post-states of blocks this many slots behind the finalized one. A block that builds on a dropped one is kTooOld.
  uint64_t state_slots = 8192;
  // Bytes of blocks with their signatures, newest first.
  uint64_t block_bytes = uint64_t{256} << 20;
};

// A block that Prune let go of, for a database.
struct PrunedBlock {
  Root root;
  uint64_t slot = 0;
  bool canonical = false;
  SignedBlockPtr block;
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

  // Drops what lies behind finality and beyond the limits. Roots and slots of all blocks ever imported stay.
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
  // The block's post-state; null when unknown or pruned. Never null for the head, justified and finalized blocks.
  StatePtr StateOf(const Root& root) const;
  const StatePtr& head_state() const { return head_state_; }

  // The block at a slot on the head's chain (which reaches back to genesis even when the anchor is later); nullopt for
  // an empty slot and beyond the head.
  std::optional<Root> CanonicalRoot(uint64_t slot) const;
  // The head or an ancestor of it.
  bool IsCanonical(const Root& root) const;

  // --- Votes and fork choice ---

  const VoteMap& known_votes() const { return known_; }      // counted in fork choice
  const VoteMap& pending_votes() const { return pending_; }  // waiting for interval 3
  // Slot of the validator's newest vote, counted or pending.
  std::optional<uint64_t> LatestVoteSlot(uint64_t validator) const;
  // The block tree from the finalized block up, parents first, with weights.
  std::vector<ForkChoiceNode> ForkChoiceNodes() const { return fork_choice_.Nodes(finalized_.root); }

  // The target a vote would have by the reference's own rule; what we vote for is BuildVote.
  absl::StatusOr<Checkpoint> AttestationTarget() const { return ReferenceVoteTarget(View()); }

  // --- Duties: cheap snapshots to build from without holding the chain up ---

  // kFuture: `slot` is more than one slot ahead. kTooOld: not newer than the head.
  absl::StatusOr<ProposalSnapshot> PrepareProposal(uint64_t slot) const;
  // kFuture: `slot` is more than one slot ahead.
  absl::StatusOr<VoteSnapshot> PrepareVote(uint64_t slot) const;

 private:
  struct HeldBlock {
    uint64_t slot = 0;
    uint64_t bytes = 0;  // size in memory, about
    SignedBlockPtr signed_block;
    BlockPtr block;
  };

  struct KnownBlock {
    uint64_t slot = 0;
    bool imported = false;
  };

  LeanChain(StatePtr state, BlockPtr block, const Root& root);
  void AddKnown(const Root& root, uint64_t slot);

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
  Checkpoint safe_target_;
  Checkpoint justified_;
  Checkpoint finalized_;

  absl::flat_hash_map<Root, KnownBlock> known_blocks_;
  size_t imported_ = 0;  // of them
  absl::flat_hash_map<Root, HeldBlock> blocks_;
  absl::flat_hash_map<Root, StatePtr> states_;
  std::deque<Root> block_order_;  // of blocks_, in order of import, without the anchor
  std::deque<Root> state_order_;  // of states_, likewise
  uint64_t held_bytes_ = 0;

  VoteMap known_;
  VoteMap pending_;
  ForkChoice fork_choice_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_LEAN_CHAIN_H_
