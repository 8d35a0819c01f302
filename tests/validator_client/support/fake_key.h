// A key whose signature contains what it signed.
#ifndef LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_FAKE_KEY_H_
#define LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_FAKE_KEY_H_

#include <algorithm>
#include <cstdint>
#include <latch>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/clock/manual_clock.h"
#include "common/concurrency/mutex.h"
#include "common/ssz/ssz.h"
#include "validator_client/signing/signer.h"
#include "validator_client/signing/signing_key.h"
#include "validator_client/signing/slot_limit.h"

namespace lean::validator {

inline PublicKeyBytes FakePubkey(uint64_t index) {
  PublicKeyBytes pubkey;
  pubkey.data.fill(static_cast<uint8_t>(index + 1));
  return pubkey;
}

// The signed root, the slot, and the first byte of the key.
inline SignatureBytes FakeSignature(const PublicKeyBytes& pubkey, uint64_t slot, const Root& root) {
  SignatureBytes signature;
  std::copy(root.data.begin(), root.data.end(), signature.data.begin());
  signature.data[32] = static_cast<uint8_t>(slot);
  signature.data[33] = pubkey.data[0];
  return signature;
}

// A vote of a validator for a slot, as its key signs it on any machine.
inline SignedAttestation FakeVote(uint64_t validator, uint64_t slot, uint8_t head) {
  SignedAttestation vote;
  vote.message.validator_id = validator;
  vote.message.data.slot = slot;
  vote.message.data.head.root.data.fill(head);
  vote.signature = FakeSignature(FakePubkey(validator), slot, ssz::HashTreeRoot(vote.message));
  return vote;
}

inline bool VerifyFake(const PublicKeyBytes& pubkey, const SignedAttestation& vote, const Root& root) {
  return vote.signature == FakeSignature(pubkey, vote.message.data.slot, root);
}

class FakeKey : public SigningKey {
 public:
  using Signed = std::pair<uint64_t, Root>;

  explicit FakeKey(uint64_t index, SlotRange active = {0, 1 << 20}, SlotRange prepared = {0, 1 << 20})
      : pubkey_(FakePubkey(index)), active_(active), prepared_(prepared) {}

  const PublicKeyBytes& pubkey() const override { return pubkey_; }
  uint32_t log_lifetime() const override { return 16; }
  SlotRange active_slots() const override { return active_; }
  SlotRange prepared_slots() const override {
    MutexLock lock(mutex_);
    return prepared_;
  }

  absl::StatusOr<SignatureBytes> Sign(uint64_t slot, const Root& message) const override {
    MutexLock lock(mutex_);
    signed_.push_back({slot, message});
    return FakeSignature(pubkey_, slot, message);
  }

  // Advances by one half, like a key with two bottom trees.
  absl::Status Prepare(uint64_t slot, const PrepareProgress& progress) override {
    if (block_prepare != nullptr) block_prepare->wait();
    for (int percent = 1; percent <= 100; ++percent) progress(percent / 100.0);
    MutexLock lock(mutex_);
    if (cancelled_) return absl::CancelledError("stopped");
    ++prepare_calls_;
    const uint64_t half = (prepared_.end - prepared_.first) / 2;
    while (prepared_.end < active_.end && slot >= prepared_.first + half) {
      prepared_.first += half;
      prepared_.end += half;
    }
    return absl::OkStatus();
  }

  void Cancel() override {
    {
      MutexLock lock(mutex_);
      if (cancelled_) return;
      cancelled_ = true;
    }
    if (block_prepare != nullptr) block_prepare->count_down();
  }

  std::vector<Signed> signed_roots() const {
    MutexLock lock(mutex_);
    return signed_;
  }
  int prepare_calls() const {
    MutexLock lock(mutex_);
    return prepare_calls_;
  }

  std::latch* block_prepare = nullptr;  // Prepare waits for it, or for Cancel

 private:
  const PublicKeyBytes pubkey_;
  const SlotRange active_;
  mutable Mutex mutex_;
  SlotRange prepared_ ABSL_GUARDED_BY(mutex_);
  mutable std::vector<Signed> signed_ ABSL_GUARDED_BY(mutex_);
  int prepare_calls_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// A SlotLimit that allows every slot of a key.
class NoSlotLimit {
 public:
  operator SlotLimit&() { return limit_; }  // NOLINT(google-explicit-constructor): stands in for a SlotLimit

 private:
  ManualClock clock_{0};
  SlotLimit limit_{clock_, 4000, uint64_t{1} << 32};
};

}  // namespace lean::validator

#endif  // LEAN_TESTS_VALIDATOR_CLIENT_SUPPORT_FAKE_KEY_H_
