// The only code that signs: typed votes in, signatures out, behind the signing records.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/shared_mutex.h"
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
  // No index and no public key stands twice.
  explicit KeySet(std::vector<ValidatorKey> keys);

  const std::vector<ValidatorKey>& all() const { return keys_; }
  size_t size() const { return keys_.size(); }

  // nullptr: not one of ours.
  const ValidatorKey* Find(uint64_t index) const;
  const ValidatorKey* Find(const PublicKeyBytes& pubkey) const;

 private:
  std::vector<ValidatorKey> keys_;
  absl::flat_hash_map<uint64_t, size_t> position_;  // in keys_, by index
};

using KeySetPtr = std::shared_ptr<const KeySet>;

// Thread-safe. Signs with the keys themselves; RemoteSigner asks another process to.
class Signer {
 public:
  // Runs a task, on another thread or at once. No task may be dropped.
  using Schedule = std::function<void(std::function<void()> task)>;

  // Neither an index nor a public key stands twice in `keys`. `records` and `limit` must outlive the signer. `schedule`
  // spreads the signatures of a duty.
  Signer(std::vector<ValidatorKey> keys, SigningRecords& records, SlotLimit& limit, Schedule schedule);
  virtual ~Signer() = default;

  // What its keys have signed.
  SigningRecords& records() { return records_; }

  // Those that it signs with now, never null.
  KeySetPtr keys() const;

  // From now on it signs with this key, too. AlreadyExists: its index or its public key is there.
  absl::Status Add(ValidatorKey key);

  // Waits for signatures under way; when it returns, nothing is reserved or signed with the key any more. nullopt: not
  // there.
  std::optional<ValidatorKey> Remove(const PublicKeyBytes& pubkey);

  // The highest slot that the records know of a key; nullopt: they do not know it.
  absl::StatusOr<std::optional<uint64_t>> HighestSlot(const ValidatorKey& key);

  // Whether the leaf of `slot`, or a later one, is reserved: then the key has nothing to sign in that slot any more.
  absl::StatusOr<bool> LeafUsed(const ValidatorKey& key, uint64_t slot);

  // Whether the slot is not too far ahead for the key. FailedPrecondition: it is (SlotLimit); or the records' own
  // error.
  absl::Status CheckLimit(const ValidatorKey& key, uint64_t slot);

  SlotLimit& limit() { return limit_; }

  // OK if the key can sign in `slot`. FailedPrecondition: outside its active slots, or not prepared yet.
  static absl::Status CheckActive(const ValidatorKey& key, uint64_t slot);

  // Signs the votes of one duty, each with the key of its validator_id, over the root recomputed from the vote. All
  // their leaves are reserved in one batch before the first of them signs. One result a vote, in order.
  // FailedPrecondition: not for `slot`, not a validator of ours, CheckLimit, CheckActive, or refused by the records.
  std::vector<absl::StatusOr<SignatureBytes>> Sign(uint64_t slot, const std::vector<Attestation>& votes);

 protected:
  // Sign, of votes by validators of `keys` that CheckLimit let pass. `keys` do not change before it returns.
  virtual std::vector<absl::StatusOr<SignatureBytes>> SignWith(const KeySet& keys, uint64_t slot,
                                                               const std::vector<Attestation>& votes);

 private:
  mutable SharedMutex mutex_;  // shared while signing
  KeySetPtr keys_;             // guarded by mutex_
  SigningRecords& records_;
  SlotLimit& limit_;
  Schedule schedule_;
  std::mutex highest_mutex_;
  // What the records had of a key when it came; guarded by highest_mutex_.
  absl::flat_hash_map<PublicKeyBytes, std::optional<uint64_t>> highest_at_start_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_SIGNER_H_
