// The Signer service (proto/lean/v1/signer.proto): handles its requests without gRPC, and serves them.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVICE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/clock/clock.h"
#include "common/clock/slot_clock.h"
#include "common/containers/attestation.h"
#include "common/log/logger.h"
#include "common/rpc/server/server.h"
#include "lean/v1/signer.pb.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/signing_records.h"

namespace lean::validator {

// Signs only for the current slot of `clock`, from `first_slot` on. If the clock was ahead at the start and is set
// back, `first_slot` follows it: the first signature is delayed by one slot. Logs one line for each call. Thread-safe.
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
  // The slot at this time. Lowers the first slot to the next one if it is later: no earlier process signed after this
  // slot.
  int64_t SlotAt(int64_t now_ms) const;
  // Checks that the key may sign the vote. Errors: UNKNOWN_KEY, INVALID_MESSAGE.
  absl::Status CheckVote(const PublicKeyBytes& pubkey, uint64_t slot, const Attestation& vote) const;
  // Signs the votes whose `results` have no refusal yet.
  void Sign(uint64_t slot, const std::vector<Attestation>& votes, std::vector<v1::SignResult>& results) const;
  void Log(const char* what, uint64_t slot, const std::vector<v1::SignResult>& results) const;

  Signer& signer_;
  SigningRecords& records_;  // the signer's own
  const Clock& clock_;
  const SlotClock slots_;
  mutable std::atomic<uint64_t> first_slot_;
  const std::shared_ptr<spdlog::logger> log_;
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
