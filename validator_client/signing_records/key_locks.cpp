#include "validator_client/signing_records/key_locks.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lean::validator {
namespace {

constexpr char kFolderLock[] = ".lean-validator.lock";

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
    absl::StatusOr<ProcessLock> lock = ProcessLock::Acquire(absl::StrCat(folder, "/", kFolderLock),
                                                            absl::StrCat("the key folder ", folder), kTwoSigners);
    if (!lock.ok()) return lock.status();
    locks.push_back(*std::move(lock));
  }
  return locks;
}

}  // namespace lean::validator
