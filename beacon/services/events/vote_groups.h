// Votes by what they say, so that the votes of a slot are few entries.
#ifndef LEAN_BEACON_SERVICES_EVENTS_VOTE_GROUPS_H_
#define LEAN_BEACON_SERVICES_EVENTS_VOTE_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"

namespace lean::beacon {

// Validators whose votes of one slot name the same head.
struct VoteGroup {
  uint64_t slot = 0;                 // in which the votes were cast
  Checkpoint head;                   // that the votes name
  std::vector<uint64_t> validators;  // ascending, each once; not empty
};

// Groups votes by slot and head. The result is ordered by slot, then by the root of the head. Pointers are not null.
std::vector<VoteGroup> GroupByHead(absl::Span<const Attestation* const> votes);

// Of the groups, without the objects themselves.
size_t BytesInside(const std::vector<VoteGroup>& groups);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_SERVICES_EVENTS_VOTE_GROUPS_H_
