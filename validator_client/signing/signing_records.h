// What each key has signed: the guard that keeps a leaf from signing twice.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_RECORDS_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_RECORDS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"

namespace lean::validator {

// One leaf (= slot) of one key, about to sign one root.
struct SigningRequest {
  PublicKeyBytes pubkey;
  uint64_t slot = 0;
  Root root;
};

// Per key: one root a leaf, and no slot at or below the highest reserved one unless it is the same root again.
// The network plays no part: a signed root carries no genesis, so a key's records bind it everywhere.
// Thread-safe.
class SigningRecords {
 public:
  virtual ~SigningRecords() = default;

  // Reserves all leaves of a duty in one batch, before any of them signs. Returns only once what it granted is as
  // durable as the implementation promises. One status a request, in order: OK means that this root may be signed by
  // this leaf, now and later; kFailedPrecondition that it never may. An error for the whole batch (say, of the disk)
  // means that nothing of it may be signed.
  virtual absl::StatusOr<std::vector<absl::Status>> Reserve(const std::vector<SigningRequest>& requests) = 0;

  // The highest slot reserved for a key; nullopt for a key without records.
  virtual absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes& pubkey) = 0;

  // Whether the owner of these records may have signed this root with this leaf: it stands in them, or they cannot tell
  // (the leaf's root is not known, or it is older than what is kept). False: somebody else did.
  virtual absl::StatusOr<bool> MayHaveSigned(const SigningRequest& vote) = 0;

  // Known roots of leaves of `from_slot` and later, of all keys, lowest slots first; at most `limit`.
  virtual absl::StatusOr<std::vector<Root>> SignedRoots(uint64_t from_slot, size_t limit) = 0;

  // The next start does not take it for sure that nobody else has signed meanwhile, whatever is reserved before.
  virtual absl::Status ForgetWriter() = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_RECORDS_H_
