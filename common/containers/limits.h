// Limits of the protocol. Source: leanSpec 050fa4a, subspecs/chain/config.py.
#ifndef LEAN_COMMON_CONTAINERS_LIMITS_H_
#define LEAN_COMMON_CONTAINERS_LIMITS_H_

#include <cstdint>

namespace lean {

// The most slots of a chain. The historical lists are full then.
inline constexpr uint64_t kHistoricalRootsLimit = uint64_t{1} << 18;

// The most validators, and the most votes and signatures in a block.
inline constexpr uint64_t kValidatorRegistryLimit = uint64_t{1} << 12;

// Bits of justifications_validators: one for each validator and each root that is being voted on.
inline constexpr uint64_t kJustificationVotesLimit = kHistoricalRootsLimit * kValidatorRegistryLimit;

// The most votes that a block can contain in practice, because the list of signatures also contains the proposer's.
inline constexpr uint64_t kMaxVotesInBody = kValidatorRegistryLimit - 1;

}  // namespace lean

#endif  // LEAN_COMMON_CONTAINERS_LIMITS_H_
