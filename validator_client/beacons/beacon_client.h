// What a validator client asks of a beacon. The service depends on this alone; gRPC is one implementation.
#ifndef LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CLIENT_H_
#define LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CLIENT_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "common/containers/block.h"
#include "validator_client/beacons/network_identity.h"

namespace lean::validator {

// Answer to GetDuties. Nothing in it is trusted before BeaconSession has checked it.
struct DutiesAnswer {
  struct Duty {
    bool known = false;             // the key is in the registry
    std::vector<uint64_t> indices;  // every index that has this key
  };

  std::vector<Duty> duties;  // one for each key asked, in order
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
  // While it is not: why, UPPER_SNAKE as in proto/lean/v1/validator.proto, and for people. Empty: not told.
  std::string refusal;
  std::string refusal_message;
};

// The network that a beacon says it works on: its word alone.
inline Network NetworkNamedBy(const DutiesAnswer& answer) {
  return {answer.genesis_block_root, answer.genesis_time, answer.slot_duration_ms, answer.validator_count, nullptr};
}

struct BuiltBlockAnswer {
  Block block;
  Attestation proposer_attestation;
  std::vector<SignatureBytes> attestation_signatures;  // of block.body.attestations, in order
  int64_t time_ms = 0;
};

struct VoteDataAnswer {
  AttestationData data;
  int64_t time_ms = 0;
};

struct SubmitResult {
  enum class Status { kAccepted, kAlreadyKnown, kQueued, kRefused };

  Status status = Status::kRefused;
  std::string reason;   // UPPER_SNAKE, see proto/lean/v1/validator.proto
  std::string message;  // for people
};

// Every item is in the chain of the beacon that answered: no other needs to be asked.
inline bool AllTaken(const std::vector<SubmitResult>& results) {
  return std::all_of(results.begin(), results.end(), [](const SubmitResult& result) {
    return result.status == SubmitResult::Status::kAccepted || result.status == SubmitResult::Status::kAlreadyKnown;
  });
}

// Of two answers for the same items, in order: the better result of each (taken, then queued, then refused).
inline std::vector<SubmitResult> BetterOf(std::vector<SubmitResult> first, const std::vector<SubmitResult>& second) {
  for (size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    // The enumerators stand in order, the best one first.
    if (second[i].status < first[i].status) first[i] = second[i];
  }
  return first;
}

// What GetLiveness is asked.
struct LivenessQuery {
  std::vector<uint64_t> indices;
  uint64_t from_slot = 0;         // votes of earlier slots do not count
  std::vector<Root> known_roots;  // of votes that need not be shown; at most 16384
};

// What a beacon says that it has seen of a validator.
struct Liveness {
  bool live = false;  // has voted for the slot asked from, or a later one
  uint64_t latest_vote_slot = 0;
  std::shared_ptr<const SignedAttestation> vote;  // that proves it, none of the known ones; null: none is shown
};

// Thread-safe. Every call ends within its timeout: an error status then says what failed and, where the beacon gave
// one, the reason. kUnavailable: no beacon there. kDeadlineExceeded: no answer in time. kCancelled: after Cancel().
class BeaconClient {
 public:
  using Timeout = std::chrono::milliseconds;

  virtual ~BeaconClient() = default;

  // Where this beacon is, for logs.
  virtual const std::string& name() const = 0;

  // `slot`: whose proposer the answer names.
  virtual absl::StatusOr<DutiesAnswer> GetDuties(const std::vector<PublicKeyBytes>& pubkeys, uint64_t slot,
                                                 Timeout timeout) = 0;

  // The public keys of the whole registry.
  virtual absl::StatusOr<Registry> GetRegistry(Timeout timeout) = 0;

  virtual absl::StatusOr<BuiltBlockAnswer> BuildBlock(uint64_t slot, uint64_t proposer_index,
                                                      const Root& genesis_block_root, Timeout timeout) = 0;

  virtual absl::StatusOr<VoteDataAnswer> BuildVote(uint64_t slot, const Root& genesis_block_root, Timeout timeout) = 0;

  virtual absl::StatusOr<SubmitResult> SubmitBlock(const SignedBlockWithAttestation& block, Timeout timeout) = 0;

  // One result for each vote, in order.
  virtual absl::StatusOr<std::vector<SubmitResult>> SubmitVotes(const std::vector<SignedAttestation>& votes,
                                                                Timeout timeout) = 0;

  // One answer for each index, in order.
  virtual absl::StatusOr<std::vector<Liveness>> GetLiveness(const LivenessQuery& query, Timeout timeout) = 0;

  // The slot of the block with this root, which the beacon holds on whatever branch. NotFound: it holds no such block.
  virtual absl::StatusOr<uint64_t> GetBlockSlot(const Root& root, Timeout timeout) = 0;

  // Ends every call under way and fails every later one: how a process stops.
  virtual void Cancel() = 0;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_BEACONS_BEACON_CLIENT_H_
