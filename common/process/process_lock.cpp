#include "common/process/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace lean {
namespace {

constexpr mode_t kOwnerOnly = 0600;

struct Holder {
  std::string name = "another process";
  std::string instead = "stop it first";
};

// Process id and, on a second line, what it announced, as the holder wrote them; it may not have come to that yet.
Holder HolderOf(int descriptor) {
  char text[512];
  const ssize_t size = pread(descriptor, text, sizeof(text), 0);
  Holder holder;
  if (size <= 0) return holder;
  const std::vector<absl::string_view> lines = absl::StrSplit(absl::string_view(text, static_cast<size_t>(size)), '\n');
  int64_t pid = 0;
  if (!absl::SimpleAtoi(lines[0], &pid) || pid <= 0) return holder;
  holder.name = absl::StrCat("process ", pid);
  if (lines.size() > 1 && !lines[1].empty()) absl::StrAppend(&holder.instead, ", or ", lines[1]);
  return holder;
}

absl::Status WriteHolder(int descriptor, absl::string_view announced) {
  const std::string text = absl::StrCat(getpid(), "\n", announced, announced.empty() ? "" : "\n");
  if (ftruncate(descriptor, 0) == 0 &&
      pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "cannot write the lock file");
}

}  // namespace

absl::StatusOr<ProcessLock> ProcessLock::Acquire(const std::string& file, absl::string_view what,
                                                 absl::string_view why) {
  int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly);
  if (descriptor < 0 && errno == EROFS) {
    descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) errno = EROFS;  // that it is not there is the consequence
  }
  if (descriptor < 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot lock ", what, ", which must be writable for that (", file, ")"));
  }
  ProcessLock lock(descriptor);
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", file));
    const Holder holder = HolderOf(descriptor);
    return absl::FailedPreconditionError(
        absl::StrCat(what, " is in use by ", holder.name, ": ", why, "; ", holder.instead));
  }
  // Only messages need the name: on a disk that is full or read-only the lock holds all the same.
  WriteHolder(descriptor, "").IgnoreError();
  return lock;
}

absl::Status ProcessLock::Announce(absl::string_view instead) { return WriteHolder(descriptor_, instead); }

ProcessLock::~ProcessLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace lean
