// Handles and events of the chain. Blocks, states and votes are immutable and shared: holding one costs a reference
// count, and what a reader holds stays valid whatever the chain does next.
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

// What whoever holds an item takes for it in memory, about: with the item's fixed parts and its place in indexes.
inline constexpr size_t kHeldItemBytes = 512;
inline size_t BytesOf(const SignedBlockWithAttestation& block) {
  return kHeldItemBytes + block.message.block.body.attestations.size() * sizeof(Attestation) +
         block.signature.size() * sizeof(SignatureBytes);
}
inline size_t BytesOf(const SignedAttestation& vote) { return kHeldItemBytes + sizeof(vote); }

// Vote target selection looks at most this many blocks back from the head towards the safe target.
inline constexpr int kJustificationLookbackSlots = 3;

// Intervals of a slot: 0 propose, 1 vote, 2 safe target, 3 accept votes. The chain's time counts them from genesis.
inline constexpr uint64_t kChainIntervalsPerSlot = 4;

// By which rules a block is imported.
enum class ImportMode {
  // Every root that its votes name must be known, as in the reference.
  kLive,
  // The transition alone decides; a vote that names an unknown root is left out of fork choice. For blocks so old that
  // what their votes name may be gone from everywhere: whether such a block is valid must not depend on what a node
  // happened to see or to keep. What kLive accepts, kHistory accepts.
  kHistory,
};

// What an anchor makes known of the blocks below it.
enum class AnchorHistory {
  kKnown,    // the roots in the anchor state's history, with their slots
  kUnknown,  // nothing, as in the reference: it refuses most blocks right above an anchor. For replay.
};

// What one call changed. A field is set when its value differs from before the call, and holds the new one.
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
