// Reads files as a whole, and writes files that appear under their name completely or not at all.
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

// Written as PATH.PID.tmp and then renamed. After a crash of the process or the machine, PATH has the old content or
// all of the new one. Errors contain the file and the system's reason. Movable.
class WholeFile {
 public:
  // `mode`: see open(2); the umask applies.
  static absl::StatusOr<WholeFile> Create(const std::string& path, mode_t mode);
  // Removes the temporary file unless PutInPlace has renamed it.
  ~WholeFile();
  WholeFile(WholeFile&&) = default;
  WholeFile& operator=(WholeFile&&) = delete;

  absl::Status Write(absl::string_view bytes);

  // Syncs the file, renames it and syncs the folder. Nothing may be written afterwards. AlreadyExists with kFail: the
  // name exists. If only the last step fails, the file has its name.
  absl::Status PutInPlace(IfExists if_exists);

 private:
  WholeFile(std::string path, std::string temporary, Descriptor file)
      : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

  std::string path_;
  std::string temporary_;
  Descriptor file_;  // none after a move or PutInPlace
};

// Writes a complete file.
absl::Status WriteWholeFile(const std::string& path, absl::string_view bytes, mode_t mode, IfExists if_exists);

// Syncs the folder of `path`, so that its names are durable.
absl::Status SyncFolderOf(const std::string& path);

// Errors: NotFound, PermissionDenied or Internal with the system's message; InvalidArgument if it is no regular file or
// is larger than max_bytes, before anything is read.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes);

// Writes a new WholeFile with mode 0644. AlreadyExists: the file exists; it is not changed. After other errors there is
// no file.
absl::Status WriteNewTextFile(const std::string& path, absl::string_view text);

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_WHOLE_FILE_H_
