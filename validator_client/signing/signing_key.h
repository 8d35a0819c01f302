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

// Told now and then how much of a tree is done, 0..1.
using PrepareProgress = std::function<void(double)>;

// Thread-safe. Knows nothing of what was signed before: only Signer calls Sign, behind SigningRecords.
class SigningKey {
 public:
  virtual ~SigningKey() = default;

  virtual const PublicKeyBytes& pubkey() const = 0;
  virtual uint32_t log_lifetime() const = 0;
  virtual SlotRange active_slots() const = 0;

  // Slots that can be signed at once; the rest of active_slots() needs Prepare first.
  virtual SlotRange prepared_slots() const = 0;

  // Deterministic. kFailedPrecondition: the slot is not active, or not prepared.
  virtual absl::StatusOr<SignatureBytes> Sign(uint64_t slot, const Root& message) const = 0;

  // Moves prepared_slots() on until it holds `slot` and reaches well past it. Long (seconds to minutes): never on
  // the path of a duty. Where the key can sign meanwhile, it works in small slices and leaves the CPU free for as long
  // as each of them took. kCancelled after Cancel(). Other errors may leave the key prepared: prepared_slots() tells.
  virtual absl::Status Prepare(uint64_t slot, const PrepareProgress& progress) = 0;

  // Ends Prepare under way, and every later one, soon.
  virtual void Cancel() = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNING_KEY_H_
