// Signs with keys of another process over lean.v1.Signer (proto/lean/v1/signer.proto).
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_REMOTE_SIGNER_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_REMOTE_SIGNER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/client/channel.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/signing_records.h"

namespace lean::validator {

// What this process knows about the signer's records, so that it does not request a signature that the signer will
// refuse. Grants nothing: the signer decides. Thread-safe.
class RemoteRecords : public SigningRecords {
 public:
  // Always an error: the signer reserves leaves, not this process.
  absl::StatusOr<std::vector<absl::Status>> Reserve(const std::vector<SigningRequest>& requests) override;
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const PublicKeyBytes& pubkey) override;
  // By the requests of this process. The signer may have signed anything up to the slot that it named at the start.
  absl::StatusOr<bool> MayHaveSigned(const SigningRequest& vote) override;
  absl::StatusOr<std::vector<Root>> SignedRoots(uint64_t from_slot, size_t limit) override;
  absl::Status ForgetWriter() override { return absl::OkStatus(); }  // a signer starts without a beacon

  // Notes the highest slot that the signer had signed before the first request.
  void NoteHighest(const PublicKeyBytes& pubkey, uint64_t slot);
  // Notes that the signer has signed this root, or may have.
  void Note(const SigningRequest& vote);

 private:
  // The number of newest slots whose roots are kept. It is more than callers ask about.
  static constexpr uint64_t kKeptSlots = 32;

  struct Known {
    std::optional<uint64_t> before;  // highest slot that was signed before
    uint64_t highest = 0;
  };

  Mutex mutex_;
  absl::flat_hash_map<PublicKeyBytes, Known> keys_ ABSL_GUARDED_BY(mutex_);
  // By slot, of all keys: a root names its validator.
  std::map<uint64_t, absl::flat_hash_set<Root>> roots_ ABSL_GUARDED_BY(mutex_);
};

// Sends whole votes, never roots. Has no secrets, and no records that safety depends on. Thread-safe.
class RemoteSigner : public Signer {
 public:
  // Asks the signer at `channels` for its keys, and fills `records` from its answer. `records` and `limit` must outlive
  // this object. Errors: no answer within ten seconds, a malformed answer, no keys, keys of different lifetimes.
  static absl::StatusOr<std::unique_ptr<RemoteSigner>> Connect(rpc::ChannelSource channels, RemoteRecords& records,
                                                               SlotLimit& limit);

 private:
  RemoteSigner(rpc::ChannelSource channels, std::vector<ValidatorKey> keys, RemoteRecords& records, SlotLimit& limit);

  // Returns the refusals of the signer. Ends within a second: Unavailable, DeadlineExceeded.
  std::vector<absl::StatusOr<SignatureBytes>> SignWith(const KeySet& keys, uint64_t slot,
                                                       const std::vector<Attestation>& votes) override;

  const rpc::ChannelSource channels_;
  RemoteRecords& records_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_REMOTE_SIGNER_H_
