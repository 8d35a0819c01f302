#include "common/process/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace lean {
namespace {

constexpr mode_t kOwnerOnly = 0600;

// "process 1234", as the holder wrote it; it may not have come to that yet.
std::string HolderOf(int descriptor) {
  char text[32];
  const ssize_t size = pread(descriptor, text, sizeof(text), 0);
  int64_t pid = 0;
  if (size <= 0 || !absl::SimpleAtoi(absl::string_view(text, static_cast<size_t>(size)), &pid) || pid <= 0) {
    return "another process";
  }
  return absl::StrCat("process ", pid);
}

}  // namespace

absl::StatusOr<ProcessLock> ProcessLock::Acquire(const std::string& file, absl::string_view what,
                                                 absl::string_view why) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open the lock file ", file));
  ProcessLock lock(descriptor);
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", file));
    return absl::FailedPreconditionError(
        absl::StrCat(what, " is in use by ", HolderOf(descriptor), ": ", why, "; stop it first"));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write the lock file ", file));
  }
  return lock;
}

ProcessLock::~ProcessLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace lean
