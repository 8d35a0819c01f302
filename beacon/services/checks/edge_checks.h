// What the node checks of blocks and votes beyond the reference's rules, except for signatures
// (docs/spec_deviations.md). Pure functions.
#ifndef LEAN_BEACON_SERVICES_CHECKS_EDGE_CHECKS_H_
#define LEAN_BEACON_SERVICES_CHECKS_EDGE_CHECKS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/block.h"

namespace lean::beacon {

// Why an item is refused: a reason of submit.h, and a message for people.
struct Refusal {
  absl::string_view reason;
  std::string message;
};

// Checks that the proposer's vote belongs to the block, since that vote's signature is all that authenticates the
// block: the vote is the proposer's, for the block's slot, and its head is the block. Checks also that the proposer is
// the slot's, that the votes' validators exist, and that there is one signature for each vote and one for the
// proposer's vote. `root` is the block's.
std::optional<Refusal> CheckBlockAtEdge(const SignedBlockWithAttestation& block, const Root& root,
                                        uint64_t validator_count);

// Checks that the validator exists.
std::optional<Refusal> CheckVoteAtEdge(const Attestation& vote, uint64_t validator_count);

// Checks that `slot` is at most one ahead of `current_slot`, which is negative before genesis.
std::optional<Refusal> CheckSlotAtEdge(uint64_t slot, int64_t current_slot);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHECKS_EDGE_CHECKS_H_
