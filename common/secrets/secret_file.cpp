#include "common/secrets/secret_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/clock/clock.h"
#include "common/process/descriptors.h"
#include "common/process/stop_signals.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

// The process that writes to a pipe has opened it already, or does so soon.
constexpr std::chrono::seconds kLongestWaitForPipe{10};
constexpr int64_t kPollMs = 100;

absl::Status SystemError(int error, absl::string_view action, const std::string& path) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot ", action, " ", path));
}

bool IsOurGroup(gid_t group) {
  if (group == getegid()) return true;
  const int count = getgroups(0, nullptr);
  if (count <= 0) return false;
  std::vector<gid_t> groups(static_cast<size_t>(count));
  const int got = getgroups(count, groups.data());
  return got > 0 && std::find(groups.begin(), groups.begin() + got, group) != groups.begin() + got;
}

absl::Status TooLarge(const std::string& path, size_t max_bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, " has more than the ", max_bytes, " bytes that such a file can have"));
}

// Reads up to the size of `out`; fewer bytes only at the end of the file.
absl::StatusOr<size_t> ReadUpTo(const Descriptor& file, const std::string& path, absl::Span<uint8_t> out) {
  size_t size = 0;
  while (size < out.size()) {
    const ssize_t count = ::read(file.get(), out.data() + size, out.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(errno, "read", path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  return size;
}

absl::StatusOr<WipedBytes> ReadRegular(const Descriptor& file, const std::string& path, const struct stat& info,
                                       size_t max_bytes) {
  if (static_cast<uint64_t>(info.st_size) > max_bytes) return TooLarge(path, max_bytes);
  WipedBytes content(static_cast<size_t>(info.st_size));
  ASSIGN_OR_RETURN(const size_t size, ReadUpTo(file, path, content.mutable_span()));
  if (size < content.span().size()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " became shorter while it was read"));
  }
  return content;
}

absl::StatusOr<WipedBytes> ReadPipe(const Descriptor& file, const std::string& path, size_t max_bytes) {
  const RealClock clock;  // another process writes in real time
  const SteadyTime end = clock.Steady() + kLongestWaitForPipe;
  WipedBytes read(max_bytes + 1);
  size_t size = 0;
  while (size <= max_bytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock.Steady()).count();
    pollfd ready{.fd = file.get(), .events = POLLIN, .revents = 0};
    if (StopSignals::Pending()) return absl::CancelledError(absl::StrCat("stopped while waiting for ", path));
    const int polled = ::poll(&ready, 1, static_cast<int>(std::clamp<int64_t>(left, 0, kPollMs)));
    if (polled < 0 && errno == EINTR) continue;
    if (polled < 0) return SystemError(errno, "wait for", path);
    if (polled == 0 && left > 0) continue;
    if (polled == 0) {
      return absl::DeadlineExceededError(absl::StrCat(path, " is a pipe whose end did not come within ",
                                                      kLongestWaitForPipe.count(),
                                                      " seconds: is anybody writing to it?"));
    }
    const ssize_t count = ::read(file.get(), read.mutable_span().data() + size, max_bytes + 1 - size);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return SystemError(errno, "read", path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > max_bytes) return TooLarge(path, max_bytes);
  WipedBytes content(size);
  std::copy_n(read.span().begin(), size, content.mutable_span().begin());
  return content;
}

struct OpenedFile {
  Descriptor file;
  struct stat info {};
};

// Without O_NONBLOCK, opening a pipe waits for a writer. A regular file ignores the flag.
absl::StatusOr<OpenedFile> Open(const std::string& path) {
  OpenedFile opened{.file = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY))};
  if (!opened.file.valid()) return SystemError(errno, "open", path);
  if (::fstat(opened.file.get(), &opened.info) != 0) return SystemError(errno, "inspect", path);
  return opened;
}

absl::Status NotRegular(const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
}

}  // namespace

absl::Status CheckSecretFile(const std::string& path, const struct stat& info) {
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return absl::PermissionDeniedError(absl::StrCat(path, " holds a secret but belongs to user ", info.st_uid,
                                                    ", who is neither this process's user (", geteuid(),
                                                    ") nor root; run: chown ", geteuid(), " ", path));
  }
  const mode_t others = info.st_mode & S_IRWXO;
  const mode_t group = info.st_mode & S_IRWXG;
  const bool group_may = group == 0 || (group == S_IRGRP && info.st_uid == 0 && IsOurGroup(info.st_gid));
  if (others == 0 && group_may) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(path, " holds a secret but is open to ", others != 0 ? "others" : "its group", "; run: chmod 600 ",
                   path, " (a file of root's may also be readable by a group of this process)"));
}

std::string GroupReadableWarning(absl::Span<const std::string> paths) {
  size_t count = 0;
  std::string first;
  for (const std::string& path : paths) {
    struct stat info {};
    if (path.empty() || ::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IRWXG) == 0) continue;
    if (count++ == 0) first = path;
  }
  if (count == 0) return "";
  return absl::StrCat(first, count == 1 ? "" : absl::StrCat(" and ", count - 1, " more files"),
                      " can be read by all members of a group: mode 0400 or 0600 keeps the secret to one user");
}

absl::StatusOr<WipedBytes> ReadSecretFile(const std::string& path, size_t max_bytes, SecretFileKind kind) {
  ASSIGN_OR_RETURN(const OpenedFile opened, Open(path));
  const bool pipe = S_ISFIFO(opened.info.st_mode);
  if (!S_ISREG(opened.info.st_mode) && !(pipe && kind == SecretFileKind::kRegularOrPipe)) return NotRegular(path);
  RETURN_IF_ERROR(CheckSecretFile(path, opened.info));
  if (pipe) return ReadPipe(opened.file, path, max_bytes);
  return ReadRegular(opened.file, path, opened.info, max_bytes);
}

absl::StatusOr<WipedBytes> ReadRegularFile(const std::string& path, size_t max_bytes) {
  ASSIGN_OR_RETURN(const OpenedFile opened, Open(path));
  if (!S_ISREG(opened.info.st_mode)) return NotRegular(path);
  return ReadRegular(opened.file, path, opened.info, max_bytes);
}

absl::Status CheckNewFile(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(path, " exists: name a new file"));
}

absl::Status WritePrivateFile(const std::string& path, ByteSpan content, IfExists if_exists) {
  return WriteWholeFile(path, {reinterpret_cast<const char*>(content.data()), content.size()}, 0600, if_exists);
}

absl::Status RemovePrivateFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove ", path));
  return SyncFolderOf(path);
}

}  // namespace lean
