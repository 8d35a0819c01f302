// What a key has signed, as it travels from one database to another.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SIGNED_HISTORY_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SIGNED_HISTORY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "common/bytes/bytes.h"

namespace lean::validator {

// No key has more leaves than this, so no slot reaches it.
inline constexpr uint64_t kMaxLeaves = uint64_t{1} << 32;

struct SignedLeaf {
  uint64_t slot = 0;         // below kMaxLeaves
  std::optional<Root> root;  // nullopt: not known, or more than one; then no root may sign this leaf again

  friend bool operator==(const SignedLeaf&, const SignedLeaf&) = default;
};

struct KeyHistory {
  PublicKeyBytes pubkey;
  std::vector<SignedLeaf> leaves;

  friend bool operator==(const KeyHistory&, const KeyHistory&) = default;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SIGNED_HISTORY_H_
