// The only code that signs: typed votes in, signatures out, behind the signing records.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "common/containers/attestation.h"
#include "validator_client/signing/signing_key.h"
#include "validator_client/signing/signing_records.h"
#include "validator_client/signing/slot_limit.h"

namespace lean::validator {

// A key of this process.
struct ValidatorKey {
  uint64_t index = 0;  // in the validator registry
  std::shared_ptr<SigningKey> key;
  std::string origin;  // "FILE:LINE" of the keystore list
};

// The keys of a signer at one moment. Immutable; its pointers live as long as it does.
class KeySet {
 public:
  // All indices and all public keys are distinct.
  explicit KeySet(std::vector<ValidatorKey> keys);

  const std::vector<ValidatorKey>& all() const { return keys_; }
  size_t size() const { return keys_.size(); }

  // nullptr: the set does not have the key.
  const ValidatorKey* Find(uint64_t index) const;
  const ValidatorKey* Find(const PublicKeyBytes& pubkey) const;

 private:
  std::vector<ValidatorKey> keys_;
  absl::flat_hash_map<uint64_t, size_t> position_;  // in keys_, by index
};

using KeySetPtr = std::shared_ptr<const KeySet>;

// Signs votes after the slashing protection has allowed them. Has the keys in this process; RemoteSigner requests
// signatures from another process. Thread-safe.
class Signer {
 public:
  // Runs a task on another thread, or at once. Must not drop a task.
  using Schedule = std::function<void(std::function<void()> task)>;

  // All indices and all public keys in `keys` are distinct. `records` and `limit` must outlive the signer. `schedule`
  // distributes the signatures of a duty over threads.
  Signer(std::vector<ValidatorKey> keys, SigningRecords& records, SlotLimit& limit, Schedule schedule);
  virtual ~Signer() = default;

  // The records of what the keys have signed.
  SigningRecords& records() { return records_; }

  // The current keys. Never null.
  KeySetPtr keys() const;

  // Adds a key. AlreadyExists: a key with this index or public key is there.
  absl::Status Add(ValidatorKey key);

  // Removes a key and returns it. Waits for signatures in progress: after the return nothing is reserved or signed with
  // the key. nullopt: the signer does not have it.
  std::optional<ValidatorKey> Remove(const PublicKeyBytes& pubkey);

  // The highest slot in the records of a key; nullopt: there are no records.
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const ValidatorKey& key);

  // True when the leaf of `slot` or a later one is reserved, so that the key cannot sign anything else in `slot`.
  absl::StatusOr<bool> LeafUsed(const ValidatorKey& key, uint64_t slot);

  // Checks the slot against SlotLimit. FailedPrecondition: it is too far ahead for the key. Other errors: those of the
  // records.
  absl::Status CheckLimit(const ValidatorKey& key, uint64_t slot);

  SlotLimit& limit() { return limit_; }

  // FailedPrecondition: `slot` is not an active slot of the key, or the key is not prepared for it yet.
  static absl::Status CheckActive(const ValidatorKey& key, uint64_t slot);

  // Signs the votes of one duty, each with the key of its validator_id, over the root recomputed from the vote.
  // Reserves all leaves in one batch before the first signature. One result for each vote, in order.
  // FailedPrecondition: another slot, an unknown validator, CheckLimit, CheckActive, or a refusal of the records.
  std::vector<absl::StatusOr<SignatureBytes>> Sign(uint64_t slot, const std::vector<Attestation>& votes);

 protected:
  // The part of Sign after CheckLimit, for votes by validators in `keys`, which do not change before it returns.
  virtual std::vector<absl::StatusOr<SignatureBytes>> SignWith(const KeySet& keys, uint64_t slot,
                                                               const std::vector<Attestation>& votes);

 private:
  mutable SharedMutex mutex_;  // shared while signing
  KeySetPtr keys_ ABSL_GUARDED_BY(mutex_);
  SigningRecords& records_;
  SlotLimit& limit_;
  Schedule schedule_;
  Mutex highest_mutex_;
  // What the records had of a key when it came.
  absl::flat_hash_map<PublicKeyBytes, std::optional<uint64_t>> highest_at_start_ ABSL_GUARDED_BY(highest_mutex_);
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_H_
