// The Signer service (proto/lean/v1/signer.proto): handles its requests without gRPC, and serves them.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVICE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVICE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/concurrency/mutex.h"
#include "common/containers/attestation.h"
#include "common/log/logger.h"
#include "common/rpc/server/server.h"
#include "lean/v1/signer.pb.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/signing_records.h"

namespace lean::validator {

// Signs only for the current slot of `clock`, from `first_slot` on. If the clock was wrong at the start and is set
// right, `first_slot` follows it, and becomes the slot after the one in which that is noticed. Logs one line for each
// call. Thread-safe.
class SignRequests {
 public:
  // The arguments passed by reference must outlive this object.
  SignRequests(Signer& signer, SigningRecords& records, const Clock& clock, SlotClock slots, uint64_t first_slot,
               std::shared_ptr<spdlog::logger> log);

  absl::StatusOr<v1::ListKeysResponse> ListKeys(const v1::ListKeysRequest& request) const;
  absl::StatusOr<v1::SignVotesResponse> SignVotes(const v1::SignVotesRequest& request) const;
  absl::StatusOr<v1::SignBlockResponse> SignBlock(const v1::SignBlockRequest& request) const;

 private:
  absl::Status CheckSlot(uint64_t slot) const;
  struct Now {
    int64_t slot = 0;
    uint64_t first_slot = 0;
  };
  // The slot at this time, and the first slot. The latter becomes the next slot if it is later, since no earlier
  // process signed after this slot, and if the wall clock has jumped ahead by a slot, since one may have signed in this
  // slot.
  Now NowAt(int64_t wall_ms) const;
  // Checks that the key may sign the vote. Errors: UNKNOWN_KEY, INVALID_MESSAGE.
  absl::Status CheckVote(const PublicKeyBytes& pubkey, uint64_t slot, const Attestation& vote) const;
  // Signs the votes whose `results` have no refusal yet.
  void Sign(uint64_t slot, const std::vector<Attestation>& votes, std::vector<v1::SignResult>& results) const;
  void Log(const char* what, uint64_t slot, const std::vector<v1::SignResult>& results) const;

  Signer& signer_;
  SigningRecords& records_;  // the signer's own
  const Clock& clock_;
  const SlotClock slots_;
  const std::shared_ptr<spdlog::logger> log_;
  mutable Mutex mutex_;
  mutable uint64_t first_slot_ ABSL_GUARDED_BY(mutex_);
  mutable int64_t anchor_ms_ ABSL_GUARDED_BY(mutex_);  // the wall clock minus the steady one, as last seen
};

// OK for a unix socket, and for TLS that requires client certificates. InvalidArgument otherwise, because anybody who
// can connect to a signer can make its keys sign.
absl::Status CheckSignerAddress(const rpc::ServerOptions& options);

// Serves until it is stopped. Errors: those of CheckSignerAddress and rpc::Server::Start. `requests` must outlive the
// server.
absl::StatusOr<std::unique_ptr<rpc::PooledServer>> StartSignerServer(const SignRequests& requests,
                                                                     const rpc::ServerOptions& options);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVICE_H_
