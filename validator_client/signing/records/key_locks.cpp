#include "validator_client/signing/records/key_locks.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/sha.h"
#include "common/process/process_lock.h"
#include "common/status/status_macros.h"

namespace lean::validator {
namespace {

constexpr char kFolderLock[] = ".lean-validator.lock";

// The name is "lean-validator/" and the SHA-256 of the public key.
std::string NameOf(const std::string& scope, const PublicKeyBytes& pubkey) {
  std::vector<uint8_t> text(scope.begin(), scope.end());
  text.insert(text.end(), pubkey.data.begin(), pubkey.data.end());
  return absl::StrCat("lean-validator/", ToHex(crypto::Sha256(text).span()));
}

// The error for a key that cannot be locked.
absl::Status Refusal(const PublicKeyBytes& pubkey, const std::string& file, const absl::Status& why) {
  if (absl::IsFailedPrecondition(why)) {
    return absl::FailedPreconditionError(absl::StrCat("the key ", ShortHex(pubkey.span()), " of ", file, ": ",
                                                      why.message(), ": ", kTwoSigners, "; stop it first"));
  }
  if (absl::IsResourceExhausted(why)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the key ", ShortHex(pubkey.span()), " of ", file, " cannot be locked: ", why.message(),
                     "; every key needs two descriptors: raise the limit of open files (ulimit -n)"));
  }
  return why;
}

}  // namespace

absl::StatusOr<std::vector<ProcessLock>> LockKeyFolders(const std::vector<std::string>& folders) {
  std::set<std::string> distinct;
  for (const std::string& folder : folders) {
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(folder, error);
    if (error) return absl::NotFoundError(absl::StrCat("the key folder ", folder, ": ", error.message()));
    distinct.insert(real.string());
  }
  std::vector<ProcessLock> locks;
  for (const std::string& folder : distinct) {
    ASSIGN_OR_RETURN(ProcessLock lock, ProcessLock::Acquire(absl::StrCat(folder, "/", kFolderLock),
                                                            absl::StrCat("the key folder ", folder), kTwoSigners));
    locks.push_back(std::move(lock));
  }
  return locks;
}

absl::Status KeyLocks::Add(const PublicKeyBytes& pubkey, const std::string& file) {
  MutexLock lock(mutex_);
  // Locks the name first, since its error is more informative.
  ASSIGN_OR_RETURN(Descriptor name, LockName(NameOf(scope_, pubkey)), Refusal(pubkey, file, _));
  ASSIGN_OR_RETURN(Descriptor locked, LockFile(file), Refusal(pubkey, file, _));
  held_.insert_or_assign(pubkey, Held{std::move(name), std::move(locked)});
  return absl::OkStatus();
}

void KeyLocks::Remove(const PublicKeyBytes& pubkey) {
  MutexLock lock(mutex_);
  held_.erase(pubkey);
}

}  // namespace lean::validator
