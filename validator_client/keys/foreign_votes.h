// Votes of our keys that others have signed, as beacons show them.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_FOREIGN_VOTES_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_FOREIGN_VOTES_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "validator_client/beacons/beacon_pool.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// A vote with a right signature of a key of ours whose root the signing records do not have.
struct ForeignVote {
  ValidatorKey key;
  uint64_t slot = 0;
  Root root;
  std::string beacon;  // that showed it
};

// What the beacons have seen of some keys.
struct Sightings {
  // Proved by the vote itself, at most one a key: one beacon is enough, since none can forge it.
  std::vector<ForeignVote> proved;
  bool answered = false;  // by a beacon at least
  // Whether one of those that answered has seen no votes of the other keys but those in the records. While none has,
  // they claim to have seen others, which proves nothing.
  bool clear = false;
};

// Not thread-safe: belongs to the service's thread.
class ForeignVotes {
 public:
  // Whether the vote's signature is that of the key over `root`, by the leaf of the vote's slot.
  using Verify = std::function<bool(const PublicKeyBytes& pubkey, const SignedAttestation& vote, const Root& root)>;

  // All but the logger must outlive this object.
  ForeignVotes(Clock& clock, BeaconPool& beacons, Signer& signer, Verify verify,
               std::shared_ptr<spdlog::logger> logger);

  // Asks all good beacons at once for votes of `keys` for `from_slot` or later. An answer that does not fit the
  // question, or shows a vote that is not the key's, counts as none. One wrong signature ends the work on an answer.
  // Errors: those of the records.
  absl::StatusOr<Sightings> Look(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                                 std::chrono::milliseconds timeout);

 private:
  // What one beacon's answer comes to.
  struct Judged {
    std::vector<ForeignVote> proved;
    std::vector<size_t> claimed;  // places in `keys`
  };

  // Internal: of the records. FailedPrecondition: of the answer.
  absl::StatusOr<Judged> Judge(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                               const LivenessAnswer& answer) const;
  // Whether the shown vote is another's; false: the records explain it. FailedPrecondition: it is not the key's.
  absl::StatusOr<bool> IsForeign(const ValidatorKey& key, uint64_t from_slot, const SignedAttestation& vote) const;
  // A claim of a vote that no record explains.
  absl::StatusOr<bool> IsUnexplained(const ValidatorKey& key, const Liveness& liveness) const;
  void Warn(const char* cause, const std::string& text);

  Clock& clock_;
  BeaconPool& beacons_;
  Signer& signer_;
  const Verify verify_;
  const std::shared_ptr<spdlog::logger> logger_;
  LineLimit limit_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_FOREIGN_VOTES_H_
