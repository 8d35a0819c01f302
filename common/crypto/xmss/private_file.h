// Files that hold secrets or must survive a crash whole.
#ifndef LEAN_COMMON_CRYPTO_XMSS_PRIVATE_FILE_H_
#define LEAN_COMMON_CRYPTO_XMSS_PRIVATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "common/bytes/bytes.h"
#include "common/process/whole_file.h"

namespace lean::xmss {

using lean::IfExists;

// A WholeFile of mode 0600.
absl::Status WritePrivateFile(const std::string& path, ByteSpan content, IfExists if_exists);

// Removes a file, and syncs its folder: it does not come back with a crash. NotFound; every error names the file.
absl::Status RemovePrivateFile(const std::string& path);

}  // namespace lean::xmss

#endif  // LEAN_COMMON_CRYPTO_XMSS_PRIVATE_FILE_H_
