#include "validator_client/keys/xmss_signing_key.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/crypto/xmss/signature.h"

namespace lean::validator {
namespace {

// Some ten milliseconds of one core.
constexpr uint64_t kSliceLeaves = 256;
constexpr absl::Duration kLongestPause = absl::Seconds(1);

// Trees that are ready, and whether the next start finds them.
absl::Status Kept(const absl::Status& cache) {
  if (cache.ok()) return cache;
  return absl::Status(cache.code(), absl::StrCat("it can sign, but a start builds its trees anew: ", cache.message()));
}

}  // namespace

XmssSigningKey::XmssSigningKey(std::string path, OpenedKeyFile file, unsigned threads)
    : path_(std::move(path)),
      file_(std::move(file)),
      threads_(threads),
      pubkey_(PublicKeyBytesOf(file_.info.scheme, file_.info.public_key)) {}

SlotRange XmssSigningKey::prepared_slots() const {
  absl::ReaderMutexLock lock(&mutex_);
  return key_.has_value() ? key_->prepared() : SlotRange{};
}

absl::StatusOr<SignatureBytes> XmssSigningKey::Sign(uint64_t slot, const Root& message) const {
  absl::ReaderMutexLock lock(&mutex_);
  if (!key_.has_value() || !key_->prepared().Contains(slot)) {
    return absl::FailedPreconditionError(absl::StrCat("the key is not prepared for slot ", slot));
  }
  const absl::StatusOr<xmss::Signature> signature = key_->Sign(slot, message);
  if (!signature.ok()) return signature.status();
  SignatureBytes bytes;
  xmss::EncodeFlat(file_.info.scheme, *signature, bytes.mutable_span());
  return bytes;
}

absl::Status XmssSigningKey::Prepare(uint64_t slot, const PrepareProgress& progress) {
  absl::MutexLock lock(&prepare_mutex_);
  // A key that is not active yet is prepared for its first slot.
  slot = std::max(slot, file_.info.active.first);
  if (!file_.info.active.Contains(slot)) {
    return absl::OutOfRangeError(
        absl::StrCat("slot ", slot, " is past the key's last slot, ", file_.info.active.end - 1));
  }
  if (!prepared_slots().Contains(slot)) {
    if (absl::Status status = Load(slot, progress); !status.ok()) return status;
  }
  while (IsPastLeftTree(slot)) {
    if (absl::Status status = AdvanceOnce(progress); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status XmssSigningKey::Load(uint64_t slot, const PrepareProgress& progress) {
  xmss::KeyGenerationOptions options;
  options.threads = threads_;
  options.progress = [this, &progress](double fraction) {
    progress(fraction);
    return !cancelled_.HasBeenNotified();
  };
  absl::StatusOr<xmss::LoadedSecretKey> loaded =
      file_.content.has_value()
          ? xmss::LoadSecretKeyBytes(file_.info.scheme, file_.content->span(), path_, slot, options)
          : xmss::LoadSecretKey(file_.info.scheme, path_, slot, options);
  if (!loaded.ok()) return loaded.status();
  if (loaded->key.public_key() != file_.info.public_key || loaded->key.active() != file_.info.active) {
    return absl::InvalidArgumentError(absl::StrCat(path_, " has been replaced by another key since the start"));
  }
  absl::MutexLock lock(&mutex_);
  key_ = std::move(loaded->key);
  return Kept(loaded->cache);
}

absl::Status XmssSigningKey::AdvanceOnce(const PrepareProgress& progress) {
  std::optional<xmss::BottomTreeBuilder> builder;
  {
    absl::ReaderMutexLock lock(&mutex_);
    builder = key_->NextTreeBuilder();
  }
  while (!builder->done()) {
    const absl::Time begin = absl::Now();
    builder->Step(kSliceLeaves);
    progress(static_cast<double>(builder->leaves_done()) / static_cast<double>(builder->leaves_total()));
    // Duties come first: this tree is needed half a key's prepared slots from now.
    const absl::Duration pause = std::clamp(absl::Now() - begin, absl::ZeroDuration(), kLongestPause);
    if (cancelled_.WaitForNotificationWithTimeout(pause)) return absl::CancelledError("stopped");
  }
  {
    absl::MutexLock lock(&mutex_);
    if (absl::Status status = key_->Advance(*std::move(builder)); !status.ok()) return status;
  }
  if (!file_.info.has_tree_cache) return absl::OkStatus();
  absl::ReaderMutexLock lock(&mutex_);
  return Kept(xmss::SaveTreeCache(*key_, path_));
}

bool XmssSigningKey::IsPastLeftTree(uint64_t slot) const {
  absl::ReaderMutexLock lock(&mutex_);
  return key_->CanAdvance() && slot >= key_->prepared().first + file_.info.scheme.bottom_leaves();
}

}  // namespace lean::validator
