// What a key has signed, as it travels from one database to another.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SIGNED_HISTORY_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SIGNED_HISTORY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
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

// Drops the histories of all other keys.
inline void KeepOnly(const std::vector<PublicKeyBytes>& pubkeys, std::vector<KeyHistory>& histories) {
  const absl::flat_hash_set<PublicKeyBytes> kept(pubkeys.begin(), pubkeys.end());
  std::erase_if(histories, [&kept](const KeyHistory& history) { return !kept.contains(history.pubkey); });
}

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_RECORDS_SIGNED_HISTORY_H_
