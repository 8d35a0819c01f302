#include "common/crypto/xmss/private_file.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/process/whole_file.h"

namespace lean::xmss {

absl::Status WritePrivateFile(const std::string& path, ByteSpan content, IfExists if_exists) {
  return WriteWholeFile(path, {reinterpret_cast<const char*>(content.data()), content.size()}, 0600, if_exists);
}

absl::Status RemovePrivateFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove ", path));
  return SyncFolderOf(path);
}

}  // namespace lean::xmss
