// The keys of a running client, which can be added and removed.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_LIVE_KEYS_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_LIVE_KEYS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/bytes/bytes.h"
#include "common/concurrency/mutex.h"
#include "validator_client/keys/key_preparer.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// An operator can add a key at any time. The key waits here, unknown to the signer, until the service's thread admits
// it (KeyAdmission). When Remove returns, the signer does not have the key; only PutBack or Add bring it back.
// Thread-safe.
class LiveKeys {
 public:
  enum class State { kActive, kWaiting, kRefused };

  struct Entry {
    ValidatorKey key;
    State state = State::kWaiting;
    bool never_signed = false;  // the operator says so: votes of the key on the chain do not prevent its admission
    std::string reason;         // why it was refused
  };

  // The signer's keys are active. Both arguments must outlive this object.
  LiveKeys(Signer& signer, KeyPreparer& preparer);

  Signer& signer() { return signer_; }
  KeyPreparer& preparer() { return preparer_; }

  // Adds a waiting key. AlreadyExists: a key with this index or public key is there, in any state.
  absl::Status Add(ValidatorKey key, bool never_signed);

  // Waits for a signature in progress; afterwards the key does not sign. nullopt: there is no such key.
  std::optional<Entry> Remove(const PublicKeyBytes& pubkey);

  // Undoes Remove: an active key continues at once; a waiting key starts to wait again.
  void PutBack(const Entry& removed);

  // Ends the preparation of a removed key that will not be put back.
  void Forget(const PublicKeyBytes& pubkey) { preparer_.Remove(pubkey); }

  // All keys: active ones in the signer's order, then the others in the order in which they were added.
  std::vector<Entry> List() const;

  // The waiting keys.
  std::vector<Entry> Waiting() const;

  // Lets exactly this waiting key object sign. False: it was removed, even if the same key was added again since.
  bool Admit(const SigningKey& key);

  // Refuses exactly this waiting key object until it is removed and added again. False: it was removed.
  bool Refuse(const SigningKey& key, const absl::Status& why);

  // Turns an active key into a refused one, which does not sign until it is removed and added again. Waits for a
  // signature in progress. False: the key is not active.
  bool Stop(const PublicKeyBytes& pubkey, const absl::Status& why);

 private:
  // end(): it does not wait.
  std::vector<Entry>::iterator FindWaiting(const SigningKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Signer& signer_;
  KeyPreparer& preparer_;
  mutable Mutex mutex_;
  std::vector<Entry> candidates_ ABSL_GUARDED_BY(mutex_);  // waiting or refused
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_LIVE_KEYS_H_
