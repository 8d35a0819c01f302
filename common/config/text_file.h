// Small text files, read whole and written whole.
#ifndef LEAN_COMMON_CONFIG_TEXT_FILE_H_
#define LEAN_COMMON_CONFIG_TEXT_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lean {

// NotFound, PermissionDenied or Internal with the system's words; InvalidArgument for what is no regular file or is
// larger than max_bytes, found out before anything is read.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes);

// Makes a new WholeFile with mode 0644. AlreadyExists: there is one; it is left as it is. After other errors there is
// none.
absl::Status WriteNewTextFile(const std::string& path, absl::string_view text);

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_TEXT_FILE_H_
