// What the node's edge asks of blocks and votes beyond the reference's rules, signatures apart
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

// Why an item is not let through: a reason of submit.h, and words for people.
struct Refusal {
  absl::string_view reason;
  std::string message;
};

// A block's only authentication is its proposer's vote, so the two must be tied: the vote is by the block's proposer,
// for its slot, with the block as its head. Also: the proposer is the slot's, the votes' validators exist, one
// signature for each vote and one for the proposer's. `root` is the block's.
std::optional<Refusal> CheckBlockAtEdge(const SignedBlockWithAttestation& block, const Root& root,
                                        uint64_t validator_count);

// The validator exists.
std::optional<Refusal> CheckVoteAtEdge(const Attestation& vote, uint64_t validator_count);

// Something for `slot` is at most one slot early. `current_slot` is negative before genesis.
std::optional<Refusal> CheckSlotAtEdge(uint64_t slot, int64_t current_slot);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_CHECKS_EDGE_CHECKS_H_
