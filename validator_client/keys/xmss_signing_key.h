// A signing key from a key file on this machine.
#ifndef LEAN_VALIDATOR_CLIENT_KEYS_XMSS_SIGNING_KEY_H_
#define LEAN_VALIDATOR_CLIENT_KEYS_XMSS_SIGNING_KEY_H_

#include <optional>
#include <string>

#include "absl/base/call_once.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/notification.h"
#include "common/concurrency/mutex.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/keys/secret_key_file.h"
#include "validator_client/keys/keystore/key_file.h"
#include "validator_client/signing/signing_key.h"

namespace lean::validator {

// Not prepared at first: the first Prepare reads the trees that its slot needs, or builds them if the file has other
// ones. Signatures have the flat form of the containers.
class XmssSigningKey : public SigningKey {
 public:
  // `file` is the opened file at `path`. A missing tree cache is rebuilt on `threads` threads.
  XmssSigningKey(std::string path, OpenedKeyFile file, unsigned threads);

  const PublicKeyBytes& pubkey() const override { return pubkey_; }
  uint32_t log_lifetime() const override { return file_.info.scheme.log_lifetime(); }
  SlotRange active_slots() const override { return file_.info.active; }
  SlotRange prepared_slots() const override;
  absl::StatusOr<SignatureBytes> Sign(uint64_t slot, const Root& message) const override;
  absl::Status Prepare(uint64_t slot, const PrepareProgress& progress) override;
  void Cancel() override {
    absl::call_once(cancel_once_, [this] { cancelled_.Notify(); });
  }

 private:
  absl::Status Load(uint64_t slot, const PrepareProgress& progress) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<xmss::LoadedSecretKey> LoadTrees(uint64_t slot, const xmss::KeyGenerationOptions& options) const;
  absl::Status AdvanceOnce(const PrepareProgress& progress) ABSL_LOCKS_EXCLUDED(mutex_);
  // True when `slot` is past the left one of the two prepared trees and there is a tree after the right one.
  bool IsPastLeftTree(uint64_t slot) const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string path_;
  const OpenedKeyFile file_;
  const unsigned threads_;
  PublicKeyBytes pubkey_;
  absl::once_flag cancel_once_;
  absl::Notification cancelled_;
  Mutex prepare_mutex_;  // one Prepare at a time; taken before mutex_
  mutable SharedMutex mutex_;
  std::optional<xmss::SecretKey> key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYS_XMSS_SIGNING_KEY_H_
