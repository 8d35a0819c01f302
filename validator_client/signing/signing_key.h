// One secret key as the signer sees it.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_KEY_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_KEY_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/crypto/xmss/scheme.h"

namespace lean::validator {

using SlotRange = xmss::SlotRange;

// Called from time to time with the finished part of a tree, 0 to 1.
using PrepareProgress = std::function<void(double)>;

// A key that can sign. Does not know what it has signed: only Signer calls Sign, after SigningRecords. Thread-safe.
class SigningKey {
 public:
  virtual ~SigningKey() = default;

  virtual const PublicKeyBytes& pubkey() const = 0;
  virtual uint32_t log_lifetime() const = 0;
  virtual SlotRange active_slots() const = 0;

  // Slots that can be signed without delay. The rest of active_slots() needs Prepare first.
  virtual SlotRange prepared_slots() const = 0;

  // Deterministic. kFailedPrecondition: the slot is not active, or not prepared.
  virtual absl::StatusOr<SignatureBytes> Sign(uint64_t slot, const Root& message) const = 0;

  // Advances prepared_slots() until it contains `slot` and reaches well past it. Takes seconds to minutes, so never
  // call it in a duty. While the key can sign, it works in small slices and pauses after each for as long as the slice
  // took. kCancelled after Cancel(). After other errors the key may be prepared: check prepared_slots().
  virtual absl::Status Prepare(uint64_t slot, const PrepareProgress& progress) = 0;

  // Ends a Prepare in progress and all later ones soon.
  virtual void Cancel() = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_KEY_H_
