#include "validator_client/keys/xmss_signing_key.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/crypto/xmss/signature.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

// About ten milliseconds on one core.
constexpr uint64_t kSliceLeaves = 256;
constexpr absl::Duration kLongestPause = absl::Seconds(1);

// The result of a preparation whose trees are ready: an error when they could not be written to the cache.
absl::Status Kept(const absl::Status& cache) {
  if (cache.ok()) return cache;
  return absl::Status(cache.code(),
                      absl::StrCat("it can sign, but the next start must rebuild its trees: ", cache.message()));
}

}  // namespace

XmssSigningKey::XmssSigningKey(std::string path, OpenedKeyFile file, unsigned threads)
    : path_(std::move(path)),
      file_(std::move(file)),
      threads_(threads),
      pubkey_(PublicKeyBytesOf(file_.info.scheme, file_.info.public_key)) {}

SlotRange XmssSigningKey::prepared_slots() const {
  ReaderLock lock(mutex_);
  return key_.has_value() ? key_->prepared() : SlotRange{};
}

absl::StatusOr<SignatureBytes> XmssSigningKey::Sign(uint64_t slot, const Root& message) const {
  ReaderLock lock(mutex_);
  if (!key_.has_value() || !key_->prepared().Contains(slot)) {
    return absl::FailedPreconditionError(absl::StrCat("the key is not prepared for slot ", slot));
  }
  ASSIGN_OR_RETURN(const xmss::Signature signature, key_->Sign(slot, message));
  SignatureBytes bytes;
  xmss::EncodeFlat(file_.info.scheme, signature, bytes.mutable_span());
  return bytes;
}

absl::Status XmssSigningKey::Prepare(uint64_t slot, const PrepareProgress& progress) {
  MutexLock lock(prepare_mutex_);
  // Prepares a key that is not active yet for its first slot.
  slot = std::max(slot, file_.info.active.first);
  if (!file_.info.active.Contains(slot)) {
    return absl::OutOfRangeError(
        absl::StrCat("slot ", slot, " is past the key's last slot, ", file_.info.active.end - 1));
  }
  if (!prepared_slots().Contains(slot)) {
    RETURN_IF_ERROR(Load(slot, progress));
  }
  while (IsPastLeftTree(slot)) {
    RETURN_IF_ERROR(AdvanceOnce(progress));
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
  ASSIGN_OR_RETURN(xmss::LoadedSecretKey loaded, LoadTrees(slot, options));
  if (loaded.key.public_key() != file_.info.public_key || loaded.key.active() != file_.info.active) {
    return absl::InvalidArgumentError(absl::StrCat(path_, " has been replaced by another key since the start"));
  }
  WriterLock lock(mutex_);
  key_ = std::move(loaded.key);
  return Kept(loaded.cache);
}

absl::StatusOr<xmss::LoadedSecretKey> XmssSigningKey::LoadTrees(uint64_t slot,
                                                                const xmss::KeyGenerationOptions& options) const {
  const xmss::Scheme& scheme = file_.info.scheme;
  if (file_.seed.has_value()) return xmss::LoadSeededKey(file_.info, file_.seed->Clone(), path_, slot, options);
  if (file_.content.has_value()) {
    return xmss::LoadSecretKeyBytes(scheme, file_.content->span(), path_, slot, options);
  }
  return xmss::LoadSecretKey(scheme, path_, slot, options);
}

absl::Status XmssSigningKey::AdvanceOnce(const PrepareProgress& progress) {
  std::optional<xmss::BottomTreeBuilder> builder;
  {
    ReaderLock lock(mutex_);
    builder = key_->NextTreeBuilder();
  }
  const RealClock clock;  // how much of this machine the work takes
  while (!builder->done()) {
    const SteadyTime begin = clock.Steady();
    builder->Step(kSliceLeaves);
    progress(static_cast<double>(builder->leaves_done()) / static_cast<double>(builder->leaves_total()));
    // Leaves time for duties: this tree is needed only after half of the prepared slots.
    const absl::Duration pause = std::min(absl::FromChrono(clock.Steady() - begin), kLongestPause);
    if (cancelled_.WaitForNotificationWithTimeout(pause)) return absl::CancelledError("stopped");
  }
  {
    WriterLock lock(mutex_);
    RETURN_IF_ERROR(key_->Advance(*std::move(builder)));
  }
  if (!file_.info.has_tree_cache) return absl::OkStatus();
  ReaderLock lock(mutex_);
  return Kept(xmss::SaveTreeCache(*key_, path_));
}

bool XmssSigningKey::IsPastLeftTree(uint64_t slot) const {
  ReaderLock lock(mutex_);
  return key_->CanAdvance() && slot >= key_->prepared().first + file_.info.scheme.bottom_leaves();
}

}  // namespace lean::validator
