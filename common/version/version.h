// The version of this build.
#ifndef LEAN_COMMON_VERSION_VERSION_H_
#define LEAN_COMMON_VERSION_VERSION_H_

#include "absl/strings/string_view.h"

namespace lean {

absl::string_view Version();  // of the project: "0.1.0"
absl::string_view Commit();   // `git describe` when the build was configured; "unknown" outside a repository
absl::string_view Build();    // compiler and build type: "GNU 12.2.0 Release"

}  // namespace lean

#endif  // LEAN_COMMON_VERSION_VERSION_H_
