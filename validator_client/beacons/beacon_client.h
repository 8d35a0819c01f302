// The calls that a validator client makes to a beacon. Duties depend on this interface; gRPC is one implementation.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CLIENT_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CLIENT_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/block.h"
#include "common/ssz/ssz.h"
#include "validator_client/beacons/network_identity.h"

namespace lean::validator {

// The answer to GetDuties. BeaconSession checks it before anything in it is used.
struct DutiesAnswer {
  struct Duty {
    bool known = false;             // the registry has the key
    std::vector<uint64_t> indices;  // all indices that have this key
  };

  std::vector<Duty> duties;  // one for each requested key, in order
  uint64_t proposer_index = 0;
  uint64_t validator_count = 0;
  Root genesis_block_root;
  uint64_t genesis_time = 0;  // Unix seconds
  uint64_t slot_duration_ms = 0;
  uint32_t xmss_log_lifetime = 0;
  std::string signature_form;
  int64_t time_ms = 0;  // the beacon's clock, Unix milliseconds
  uint64_t head_slot = 0;
  bool synced = false;
  // Why the beacon is not synced: a reason code as in proto/lean/v1/validator.proto, and a text. Empty when the beacon
  // is synced or gives no reason.
  std::string refusal;
  std::string refusal_message;
};

// The network that a beacon claims to work on, unchecked.
inline NetworkIdentity NetworkNamedBy(const DutiesAnswer& answer) {
  return {answer.genesis_block_root, answer.genesis_time, answer.slot_duration_ms, answer.validator_count, nullptr};
}

// What a client asks a beacon for when it builds a block.
enum class BlockForm {
  kWhole,
  kHeader,  // only what is needed to sign it; a beacon may answer with the whole block nevertheless
};

struct BuiltBlockAnswer {
  Block block;  // without its votes if it came as a header
  Attestation proposer_attestation;
  std::vector<SignatureBytes> attestation_signatures;  // of block.body.attestations, in order
  int64_t time_ms = 0;
  std::optional<Root> body_root;  // set: it came as a header, and the beacon has the body with this root
  bool kept = false;              // the beacon keeps the block, and SubmitKeptBlock submits it
  size_t vote_count = 0;          // in the block; as the beacon says, if it came as a header

  // Its root is that of the block.
  BlockHeader Header() const {
    return HeaderOf(block, body_root.has_value() ? *body_root : ssz::HashTreeRoot(block.body));
  }
};

struct VoteDataAnswer {
  AttestationData data;
  int64_t time_ms = 0;
};

struct SubmitResult {
  enum class Status { kAccepted, kAlreadyKnown, kQueued, kRefused };

  Status status = Status::kRefused;
  std::string reason;   // reason code, see proto/lean/v1/validator.proto
  std::string message;  // human-readable
};

// True when the beacon that answered has every item in its chain, so that no other beacon needs to get them.
inline bool AllTaken(const std::vector<SubmitResult>& results) {
  return std::all_of(results.begin(), results.end(), [](const SubmitResult& result) {
    return result.status == SubmitResult::Status::kAccepted || result.status == SubmitResult::Status::kAlreadyKnown;
  });
}

// Merges two answers for the same items: the better result of each item (taken, then queued, then refused).
inline std::vector<SubmitResult> BetterOf(std::vector<SubmitResult> first, const std::vector<SubmitResult>& second) {
  for (size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    // The enumerators are ordered from best to worst.
    if (second[i].status < first[i].status) first[i] = second[i];
  }
  return first;
}

// The request of GetLiveness.
struct LivenessQuery {
  std::vector<uint64_t> indices;
  uint64_t from_slot = 0;         // votes for earlier slots are ignored
  std::vector<Root> known_roots;  // roots of votes that the beacon need not return; at most 16384
};

// What a beacon reports about one validator.
struct Liveness {
  bool live = false;  // has voted for `from_slot` or a later slot
  uint64_t latest_vote_slot = 0;
  std::shared_ptr<const SignedAttestation> vote;  // a vote that proves it and is not known; null: none was returned
};

// Thread-safe. Every call ends within its timeout. An error status says what failed and carries the beacon's reason
// code if there is one. kUnavailable: the beacon cannot be reached. kDeadlineExceeded: no answer in time. kCancelled:
// after Cancel().
class BeaconClient {
 public:
  using Timeout = std::chrono::milliseconds;

  virtual ~BeaconClient() = default;

  // The address of this beacon, for logs.
  virtual const std::string& name() const = 0;

  // The answer names the proposer of `slot`.
  virtual absl::StatusOr<DutiesAnswer> GetDuties(const std::vector<PublicKeyBytes>& pubkeys, uint64_t slot,
                                                 Timeout timeout) = 0;

  // The public keys of the whole registry.
  virtual absl::StatusOr<Registry> GetRegistry(Timeout timeout) = 0;

  virtual absl::StatusOr<BuiltBlockAnswer> BuildBlock(uint64_t slot, uint64_t proposer_index,
                                                      const Root& genesis_block_root, BlockForm form,
                                                      Timeout timeout) = 0;

  virtual absl::StatusOr<VoteDataAnswer> BuildVote(uint64_t slot, const Root& genesis_block_root, Timeout timeout) = 0;

  virtual absl::StatusOr<SubmitResult> SubmitBlock(const SignedBlockWithAttestation& block, Timeout timeout) = 0;

  // Submits a block that this beacon has built and keeps, by its root and its proposer's signature. NotFound: it does
  // not keep the block any more.
  virtual absl::StatusOr<SubmitResult> SubmitKeptBlock(const Root& root, const SignatureBytes& signature,
                                                       Timeout timeout) = 0;

  // One result for each vote, in order.
  virtual absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(const std::vector<SignedAttestation>& votes,
                                                                Timeout timeout) = 0;

  // One answer for each index, in order.
  virtual absl::StatusOr<std::vector<Liveness>> GetLiveness(const LivenessQuery& query, Timeout timeout) = 0;

  // The slot of the block with this root, on any branch that the beacon has. NotFound: the beacon does not have it.
  virtual absl::StatusOr<uint64_t> GetBlockSlot(const Root& root, Timeout timeout) = 0;

  // Ends all calls in progress; all later calls fail. Used when the process stops.
  virtual void Cancel() = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CLIENT_H_
