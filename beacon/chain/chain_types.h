// Handles and events of the chain. Blocks, states and votes are immutable and shared, so that a reader's handle stays
// valid whatever the chain does.
#ifndef LEAN_BEACON_CHAIN_CHAIN_TYPES_H_
#define LEAN_BEACON_CHAIN_CHAIN_TYPES_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "common/containers/containers.h"

namespace lean::beacon {

using StatePtr = std::shared_ptr<const State>;
using BlockPtr = std::shared_ptr<const Block>;
using SignedBlockPtr = std::shared_ptr<const SignedBlockWithAttestation>;
using SignedVotePtr = std::shared_ptr<const SignedAttestation>;

// Approximate memory of an item, with its fixed parts and its place in indexes.
inline constexpr size_t kHeldItemBytes = 512;
inline size_t BytesOf(const SignedBlockWithAttestation& block) {
  return kHeldItemBytes + block.message.block.body.attestations.size() * sizeof(Attestation) +
         block.signature.size() * sizeof(SignatureBytes);
}
inline constexpr size_t kHeldVoteBytes = kHeldItemBytes + sizeof(SignedAttestation);
inline size_t BytesOf(const SignedAttestation&) { return kHeldVoteBytes; }

// Of a post-state that it shares with no other state: the paths to what changes with every block, and the lists of
// votes that are being collected, with the hashes of their trees.
inline size_t BytesOf(const State& state) {
  constexpr size_t kPathBytes = 8192;
  return kPathBytes +
         2 * (state.justifications_roots.size() * sizeof(Root) + state.justifications_validators.size() / 8);
}

// Vote target selection goes back at most this many blocks from the head towards the safe target.
inline constexpr int kJustificationLookbackSlots = 3;

// Intervals of a slot: 0 propose, 1 vote, 2 safe target, 3 accept votes. The chain's time counts them from genesis.
inline constexpr uint64_t kChainIntervalsPerSlot = 4;

// The rules by which a block is imported.
enum class ImportMode {
  // Every root that its votes name must be known, as in the reference.
  kLive,
  // Only the transition decides; a vote that names an unknown root does not count in fork choice. For old blocks, whose
  // votes may name blocks that no node has kept: their validity must not depend on what a node has seen. kHistory
  // accepts
  // everything that kLive accepts.
  kHistory,
};

// Which blocks below an anchor are known.
enum class AnchorHistory {
  kKnown,    // the roots in the anchor state's history, with their slots
  kUnknown,  // none, as in the reference, which refuses most blocks right above an anchor; for replay
};

// What a call has changed. A field is set when its value has changed, and holds the new value.
struct ChainEvents {
  std::optional<Checkpoint> head;
  std::optional<Checkpoint> safe_target;
  std::optional<Checkpoint> justified;
  std::optional<Checkpoint> finalized;
  bool reorg = false;          // the new head does not descend from the old one
  bool already_known = false;  // OnBlock: the block was in the chain; nothing changed
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_CHAIN_CHAIN_TYPES_H_
