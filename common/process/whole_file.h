// Files that are read as a whole, or that appear under their name as a whole or not at all.
#ifndef LEAN_COMMON_PROCESS_WHOLE_FILE_H_
#define LEAN_COMMON_PROCESS_WHOLE_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/process/descriptors.h"

namespace lean {

enum class IfExists { kFail, kReplace };

// Is written beside its place, as PATH.PID.tmp, and put there in one step: after a crash of process or machine there is
// under PATH what was there before, or all of the new file. Errors name the file and the system's reason. Movable.
class WholeFile {
 public:
  // `mode`: as of open(2), less the umask.
  static absl::StatusOr<WholeFile> Create(const std::string& path, mode_t mode);
  // Removes what was written, unless it was put in place.
  ~WholeFile();
  WholeFile(WholeFile&&) = default;
  WholeFile& operator=(WholeFile&&) = delete;

  absl::Status Write(absl::string_view bytes);

  // Syncs the file, puts it in place and syncs the folder; nothing is written afterwards. AlreadyExists with kFail:
  // something has the name already. When only the last step fails, the file is in place.
  absl::Status PutInPlace(IfExists if_exists);

 private:
  WholeFile(std::string path, std::string temporary, Descriptor file)
      : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

  std::string path_;
  std::string temporary_;
  Descriptor file_;  // none: moved from, or in place
};

// All of it at once.
absl::Status WriteWholeFile(const std::string& path, absl::string_view bytes, mode_t mode, IfExists if_exists);

// Makes the names in the folder of `path` durable.
absl::Status SyncFolderOf(const std::string& path);

// NotFound, PermissionDenied or Internal with the system's words; InvalidArgument for what is no regular file or is
// larger than max_bytes, found out before anything is read.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes);

// Makes a new WholeFile with mode 0644. AlreadyExists: there is one; it is left as it is. After other errors there is
// none.
absl::Status WriteNewTextFile(const std::string& path, absl::string_view text);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_WHOLE_FILE_H_
