// The rules for files that hold a secret: key files, passwords, tokens and private keys of TLS.
#ifndef LEAN_COMMON_SECRETS_SECRET_FILE_H_
#define LEAN_COMMON_SECRETS_SECRET_FILE_H_

#include <sys/stat.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/bytes/bytes.h"
#include "common/process/whole_file.h"
#include "common/secrets/secret_memory.h"

namespace lean {

// OK when the file belongs to the user of this process or to root, and others have no access. Its group may read it
// only if root owns it and this process is in that group, which is how orchestrators mount secrets. `info` describes
// the file itself, not a link to it. PermissionDenied otherwise; the error names the file and says what to do.
absl::Status CheckSecretFile(const std::string& path, const struct stat& info);

// A warning if a group can read one of these files; otherwise empty. Ignores missing files.
std::string GroupReadableWarning(absl::Span<const std::string> paths);

enum class SecretFileKind {
  kRegular,       // key files, which are opened again and locked later
  kRegularOrPipe  // passwords, which may come from a pipe or a descriptor (/dev/fd/3)
};

// Reads the whole file. A pipe is read to its end, for at most 10 seconds. NotFound; PermissionDenied: it is not
// readable, or CheckSecretFile refuses it; InvalidArgument: another kind of file, or larger than `max_bytes`;
// DeadlineExceeded: the pipe did not end in time; Cancelled: a signal to stop is pending. Errors name the file and
// never quote it.
absl::StatusOr<WipedBytes> ReadSecretFile(const std::string& path, size_t max_bytes, SecretFileKind kind);

// The same for a regular file without secrets: its permissions are not checked.
absl::StatusOr<WipedBytes> ReadRegularFile(const std::string& path, size_t max_bytes);

// AlreadyExists: the path names something, also a link that leads nowhere.
absl::Status CheckNewFile(const std::string& path);

// Writes a WholeFile with mode 0600.
absl::Status WritePrivateFile(const std::string& path, ByteSpan content, IfExists if_exists);

// Removes a file and syncs its folder, so that the file does not come back after a crash. NotFound. Errors name the
// file.
absl::Status RemovePrivateFile(const std::string& path);

}  // namespace lean

#endif  // LEAN_COMMON_SECRETS_SECRET_FILE_H_
