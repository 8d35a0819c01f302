#include "common/crypto/xmss/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/process/descriptors.h"

namespace lean::xmss {
namespace {

absl::Status SystemError(int error, absl::string_view action, const std::string& path) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot ", action, " ", path));
}

bool WriteAll(int descriptor, ByteSpan content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

absl::Status WriteNew(const std::string& path, ByteSpan content) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemError(errno, "create", path);
  if (!WriteAll(file.get(), content)) return SystemError(errno, "write", path);
  if (::fsync(file.get()) != 0) return SystemError(errno, "sync", path);
  return absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) return SystemError(errno, "open folder", folder);
  if (::fsync(descriptor.get()) != 0) return SystemError(errno, "sync folder", folder);
  return absl::OkStatus();
}

// A link fails where the name is taken; a rename takes it over.
absl::Status PutInPlace(const std::string& temporary, const std::string& path, IfExists if_exists) {
  if (if_exists == IfExists::kReplace) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return SystemError(errno, "put in place", path);
    return absl::OkStatus();
  }
  if (::link(temporary.c_str(), path.c_str()) != 0) return SystemError(errno, "put in place", path);
  if (::unlink(temporary.c_str()) != 0) return SystemError(errno, "remove", temporary);
  return absl::OkStatus();
}

}  // namespace

absl::Status WritePrivateFile(const std::string& path, ByteSpan content, IfExists if_exists) {
  const std::string temporary = absl::StrCat(path, ".", ::getpid(), ".tmp");
  ::unlink(temporary.c_str());  // what a crash may have left
  absl::Status status = WriteNew(temporary, content);
  if (status.ok()) status = PutInPlace(temporary, path, if_exists);
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return SyncFolderOf(path);
}

absl::Status RemovePrivateFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return SystemError(errno, "remove", path);
  return SyncFolderOf(path);
}

absl::StatusOr<WipedBytes> ReadPrivateFile(const std::string& path, size_t max_bytes, bool must_be_private) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return SystemError(errno, "open", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return SystemError(errno, "inspect", path);
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  if (must_be_private && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " holds a secret but is open to group or others; run: chmod 600 ", path));
  }
  if (static_cast<uint64_t>(info.st_size) > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", info.st_size, " bytes, more than the ", max_bytes, " such a file can have"));
  }
  WipedBytes content(static_cast<size_t>(info.st_size));
  absl::Span<uint8_t> rest = content.mutable_span();
  while (!rest.empty()) {
    const ssize_t count = ::read(file.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(errno, "read", path);
    if (count == 0) return absl::InvalidArgumentError(absl::StrCat(path, " became shorter while it was read"));
    rest.remove_prefix(static_cast<size_t>(count));
  }
  return content;
}

}  // namespace lean::xmss
