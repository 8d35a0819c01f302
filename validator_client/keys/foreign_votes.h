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

// A vote with a valid signature of one of our keys that the signing records do not have: another process signed it.
struct ForeignVote {
  ValidatorKey key;
  uint64_t slot = 0;
  Root root;
  std::string beacon;  // the beacon that returned it
};

// What the beacons have seen of a set of keys.
struct Sightings {
  // Foreign votes, at most one for each key. One beacon is enough as a source, since it cannot forge a vote.
  std::vector<ForeignVote> proved;
  bool answered = false;  // at least one beacon has answered
  // True when at least one beacon has seen no votes of the remaining keys except those in the records. False: all
  // beacons claim to have seen other votes, but do not prove it.
  bool clear = false;
};

// Finds votes of our keys that another process has signed. Not thread-safe: belongs to the service's thread.
class ForeignVotes {
 public:
  // True when the vote has a valid signature of the key over `root`, made with the leaf of the vote's slot.
  using Verify = std::function<bool(const PublicKeyBytes& pubkey, const SignedAttestation& vote, const Root& root)>;

  // All arguments but the logger must outlive this object.
  ForeignVotes(Clock& clock, BeaconPool& beacons, Signer& signer, Verify verify,
               std::shared_ptr<spdlog::logger> logger);

  // Asks all good beacons at once for votes of `keys` from `from_slot` on. Ignores an answer that does not match the
  // request or has a vote that is not the key's. Stops checking an answer at its first invalid signature. Errors: those
  // of the records.
  absl::StatusOr<Sightings> Look(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                                 std::chrono::milliseconds timeout);

 private:
  // The evaluation of one beacon's answer.
  struct Judged {
    std::vector<ForeignVote> proved;
    std::vector<size_t> claimed;  // indices in `keys`
  };

  // Internal: an error of the records. FailedPrecondition: an error in the answer.
  absl::StatusOr<Judged> Judge(const std::vector<ValidatorKey>& keys, uint64_t from_slot,
                               const LivenessAnswer& answer) const;
  // True when another process has signed the vote. False: the records explain it. FailedPrecondition: it is not the
  // key's.
  absl::StatusOr<bool> IsForeign(const ValidatorKey& key, uint64_t from_slot, const SignedAttestation& vote) const;
  // True when the beacon claims a vote that the records do not explain.
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
