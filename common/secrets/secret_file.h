// The one rule for every file that holds a secret: key files, passwords, tokens and private keys of TLS.
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

// The file belongs to the user of this process or to root, and is closed to others. Its group may read it only where
// root owns it and this process is of that group, which is how orchestrators mount secrets. `info` is the file's own,
// not that of a link to it. PermissionDenied otherwise; the error names the file and says what to do.
absl::Status CheckSecretFile(const std::string& path, const struct stat& info);

// Text of a warning when members of a group can read one of these files as well; empty otherwise. Files that are not
// there are passed over.
std::string GroupReadableWarning(absl::Span<const std::string> paths);

enum class SecretFileKind {
  kRegular,       // key files, which are opened again and locked
  kRegularOrPipe  // passwords, which may come from a pipe or a descriptor (/dev/fd/3)
};

// The whole content. A pipe is read to its end, for 10 seconds at most: one that nobody writes to is an error.
// NotFound; PermissionDenied: not readable, or CheckSecretFile; InvalidArgument: another kind of file, or larger than
// `max_bytes`; DeadlineExceeded: the pipe; Cancelled: a signal to stop is pending. Errors name the file and never quote
// it.
absl::StatusOr<WipedBytes> ReadSecretFile(const std::string& path, size_t max_bytes, SecretFileKind kind);

// The same for a regular file that holds no secret, whoever may read it.
absl::StatusOr<WipedBytes> ReadRegularFile(const std::string& path, size_t max_bytes);

// A WholeFile of mode 0600.
absl::Status WritePrivateFile(const std::string& path, ByteSpan content, IfExists if_exists);

// Removes a file, and syncs its folder: it does not come back with a crash. NotFound; every error names the file.
absl::Status RemovePrivateFile(const std::string& path);

}  // namespace lean

#endif  // LEAN_COMMON_SECRETS_SECRET_FILE_H_
