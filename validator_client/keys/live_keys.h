// The keys of a running client, as they come and go.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_LIVE_KEYS_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_LIVE_KEYS_H_

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/bytes/bytes.h"
#include "validator_client/keys/key_preparer.h"
#include "validator_client/signing/signer.h"

namespace lean::validator {

// A key is added by an operator, at any time and on any thread; it waits here, unknown to the signer, until the
// service's thread has found that it may sign (KeyAdmission). A removed one is out of the signer when Remove returns,
// and comes back only by way of PutBack or Add. Thread-safe.
class LiveKeys {
 public:
  enum class State { kActive, kWaiting, kRefused };

  struct Entry {
    ValidatorKey key;
    State state = State::kWaiting;
    bool never_signed = false;  // as the operator says: votes of it on the chain are no reason to refuse it
    std::string reason;         // why it was refused
  };

  // Begins with the signer's keys as active ones. Both must outlive this object.
  LiveKeys(Signer& signer, KeyPreparer& preparer);

  Signer& signer() { return signer_; }
  KeyPreparer& preparer() { return preparer_; }

  // AlreadyExists: its index or its public key is there, in whatever state.
  absl::Status Add(ValidatorKey key, bool never_signed);

  // Waits for a signature under way; from then on the key signs nothing. nullopt: not there.
  std::optional<Entry> Remove(const PublicKeyBytes& pubkey);

  // Undoes Remove: an active key goes on at once, a waiting one waits from the beginning.
  void PutBack(const Entry& removed);

  // A removed key does not come back: its preparation ends.
  void Forget(const PublicKeyBytes& pubkey) { preparer_.Remove(pubkey); }

  // All of them: the active ones in the signer's order, then the others in the order of their coming.
  std::vector<Entry> List() const;

  // Those that wait, for the service's thread.
  std::vector<Entry> Waiting() const;

  // This very key, which waits, may sign from now on. False: it has gone, even if one like it has come since.
  bool Admit(const SigningKey& key);

  // This very key, which waits, stays out until it is removed and added anew. False: it has gone.
  bool Refuse(const SigningKey& key, const absl::Status& why);

  // An active key signs nothing more until it is removed and added anew: it is refused. Waits for a signature under
  // way. False: it is not active.
  bool Stop(const PublicKeyBytes& pubkey, const absl::Status& why);

 private:
  // end(): it does not wait. mutex_ is held.
  std::vector<Entry>::iterator FindWaiting(const SigningKey& key);

  Signer& signer_;
  KeyPreparer& preparer_;
  // std::mutex, since the thread sanitizer does not see through Debian's Abseil.
  mutable std::mutex mutex_;
  std::vector<Entry> candidates_;  // waiting or refused; guarded by mutex_
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_LIVE_KEYS_H_
