#include "common/process/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr mode_t kOwnerOnly = 0600;

struct Holder {
  std::string name = "another process";
  std::string instead = "stop it first";
};

// The process id and, on a second line, the announcement that the holder has written. It may not have written them yet.
Holder HolderOfFile(int descriptor) {
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

// The most refused processes that can learn who the holder is. The holder never accepts their connections, so later
// ones do not learn it.
constexpr int kAskers = 8;

struct NameAddress {
  sockaddr_un address{};
  socklen_t size = 0;
};

absl::StatusOr<NameAddress> AddressOf(const std::string& name) {
  NameAddress result;
  result.address.sun_family = AF_UNIX;
  // The first byte is 0, so the name is not in the file system.
  if (name.size() >= sizeof(result.address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("a name of ", name.size(), " bytes is too long to be locked"));
  }
  std::copy(name.begin(), name.end(), result.address.sun_path + 1);
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return result;
}

absl::StatusOr<Descriptor> NewSocket() {
  Descriptor made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.valid()) return absl::ErrnoToStatus(errno, "cannot make a unix socket");
  return made;
}

// The kernel knows the process that listens.
std::string HolderOfName(const NameAddress& name) {
  const std::string unknown = "another process of this machine";
  const absl::StatusOr<Descriptor> asker = NewSocket();
  if (!asker.ok()) return unknown;
  if (connect(asker->get(), reinterpret_cast<const sockaddr*>(&name.address), name.size) != 0) return unknown;
  ucred holder{};
  socklen_t size = sizeof(holder);
  if (getsockopt(asker->get(), SOL_SOCKET, SO_PEERCRED, &holder, &size) != 0) return unknown;
  // 0: the process is in another PID namespace.
  return holder.pid > 0 ? absl::StrCat("process ", holder.pid, " of user id ", holder.uid) : unknown;
}

}  // namespace

absl::StatusOr<ProcessLock> ProcessLock::Acquire(const std::string& file, absl::string_view what,
                                                 absl::string_view why) {
  int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly);
  if (descriptor < 0 && errno == EROFS) {
    descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) errno = EROFS;  // the file is missing because of it
  }
  if (descriptor < 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot lock ", what, ", which must be writable for that (", file, ")"));
  }
  ProcessLock lock(descriptor);
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", file));
    const Holder holder = HolderOfFile(descriptor);
    return absl::FailedPreconditionError(
        absl::StrCat(what, " is in use by ", holder.name, ": ", why, "; ", holder.instead));
  }
  // Only messages need the content, so the lock also works on a disk that is full or read-only.
  WriteHolder(descriptor, "").IgnoreError();
  return lock;
}

absl::Status ProcessLock::Announce(absl::string_view instead) { return WriteHolder(descriptor_, instead); }

ProcessLock::~ProcessLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<Descriptor> LockFile(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", path));
    return absl::FailedPreconditionError("it is in use by another process, by this or another name of the file");
  }
  return file;
}

absl::StatusOr<Descriptor> LockName(const std::string& name) {
  ASSIGN_OR_RETURN(const NameAddress address, AddressOf(name));
  ASSIGN_OR_RETURN(Descriptor holder, NewSocket());
  if (bind(holder.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) != 0) {
    if (errno != EADDRINUSE) return absl::ErrnoToStatus(errno, "cannot take a name on this machine");
    return absl::FailedPreconditionError(absl::StrCat("it is in use by ", HolderOfName(address)));
  }
  if (listen(holder.get(), kAskers) != 0) return absl::ErrnoToStatus(errno, "cannot listen on a unix socket");
  return holder;
}

}  // namespace lean
