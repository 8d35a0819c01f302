#include "common/crypto/xmss/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/process/descriptors.h"
#include "common/process/whole_file.h"

namespace lean::xmss {
namespace {

absl::Status SystemError(int error, absl::string_view action, const std::string& path) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot ", action, " ", path));
}

}  // namespace

absl::Status WritePrivateFile(const std::string& path, ByteSpan content, IfExists if_exists) {
  return WriteWholeFile(path, {reinterpret_cast<const char*>(content.data()), content.size()}, 0600, if_exists);
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
