// The only code that signs: typed votes in, signatures out, behind the signing records.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNER_H_
#define LEAN_VALIDATOR_CLIENT_SIGNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/containers/attestation.h"
#include "validator_client/signing_key.h"
#include "validator_client/signing_records.h"

namespace lean::validator {

// A key of this process.
struct ValidatorKey {
  uint64_t index = 0;  // in the validator registry
  std::shared_ptr<SigningKey> key;
  std::string origin;  // "FILE:LINE" of the keystore list
};

// Thread-safe. Signs with the keys themselves; RemoteSigner asks another process to.
class Signer {
 public:
  // Runs a task, on another thread or at once. No task may be dropped.
  using Schedule = std::function<void(std::function<void()> task)>;

  // No index stands twice in `keys`. `records` must outlive the signer. `schedule` spreads the signatures of a duty.
  Signer(std::vector<ValidatorKey> keys, SigningRecords& records, Schedule schedule);
  virtual ~Signer() = default;

  const std::vector<ValidatorKey>& keys() const { return keys_; }

  // nullptr: not one of ours.
  const ValidatorKey* Find(uint64_t index) const;

  // The highest slot that the records know of a key; nullopt: they do not know it.
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const ValidatorKey& key);

  // Whether the leaf of `slot`, or a later one, is reserved: then the key has nothing to sign in that slot any more.
  absl::StatusOr<bool> LeafUsed(const ValidatorKey& key, uint64_t slot);

  // OK if the key can sign in `slot`. FailedPrecondition: outside its active slots, or not prepared yet.
  static absl::Status CheckActive(const ValidatorKey& key, uint64_t slot);

  // Signs the votes of one duty, each with the key of its validator_id, over the root recomputed from the vote. All
  // their leaves are reserved in one batch before the first of them signs. One result a vote, in order.
  // FailedPrecondition: not for `slot`, not a validator of ours, CheckActive, or refused by the records.
  virtual std::vector<absl::StatusOr<SignatureBytes>> Sign(uint64_t slot, const std::vector<Attestation>& votes);

 private:
  std::vector<ValidatorKey> keys_;
  absl::flat_hash_map<uint64_t, size_t> position_;  // in keys_, by index
  SigningRecords& records_;
  Schedule schedule_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNER_H_
