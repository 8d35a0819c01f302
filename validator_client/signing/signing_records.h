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

// A request to sign one root with one leaf (= slot) of one key.
struct SigningRequest {
  PublicKeyBytes pubkey;
  uint64_t slot = 0;
  Root root;
};

// Slashing protection. For each key: a leaf signs one root, and no slot at or below the highest reserved one is signed
// except for the same root again. The records hold for all networks, since a signed root contains no genesis.
// Thread-safe.
class SigningRecords {
 public:
  virtual ~SigningRecords() = default;

  // Reserves all leaves of a duty in one batch, before the first of them signs. Returns when the granted requests are
  // as durable as the implementation promises. One status for each request, in order. OK: this leaf may sign this root,
  // now and later. kFailedPrecondition: it never may. An error for the whole batch, for example of the disk: nothing in
  // the batch may be signed.
  virtual absl::StatusOr<std::vector<absl::Status>> Reserve(const std::vector<SigningRequest>& requests) = 0;

  // The highest reserved slot of a key; nullopt for a key without records.
  virtual absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes& pubkey) = 0;

  // True when the owner of these records may have signed this root with this leaf: the records have it, or they cannot
  // tell because the leaf's root is unknown or no longer kept. False: another process has signed it.
  virtual absl::StatusOr<bool> MayHaveSigned(const SigningRequest& vote) = 0;

  // The known roots of all keys from `from_slot` on, lowest slots first; at most `limit`.
  virtual absl::StatusOr<std::vector<Root>> SignedRoots(uint64_t from_slot, size_t limit) = 0;

  // Makes the next start assume that another process may have signed since, whatever is reserved before then.
  virtual absl::Status ForgetWriter() = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_RECORDS_H_
