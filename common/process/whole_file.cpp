#include "common/process/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/process/descriptors.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

absl::Status SystemError(absl::string_view action, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", action, " ", path));
}

}  // namespace

absl::StatusOr<WholeFile> WholeFile::Create(const std::string& path, mode_t mode) {
  std::string temporary = absl::StrCat(path, ".", getpid(), ".tmp");
  unlink(temporary.c_str());  // left by a killed process with the same id
  Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.valid()) return SystemError("create", temporary);
  return WholeFile(path, std::move(temporary), std::move(file));
}

WholeFile::~WholeFile() {
  if (file_.valid()) unlink(temporary_.c_str());
}

absl::Status WholeFile::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path_);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WholeFile::PutInPlace(IfExists if_exists) {
  if (fsync(file_.get()) != 0) return SystemError("sync", path_);
  // A link fails if the name exists; a rename replaces it.
  const int done = if_exists == IfExists::kReplace ? rename(temporary_.c_str(), path_.c_str())
                                                   : link(temporary_.c_str(), path_.c_str());
  if (done != 0) return SystemError("put in place", path_);
  file_ = Descriptor();
  if (if_exists == IfExists::kFail && unlink(temporary_.c_str()) != 0) return SystemError("remove", temporary_);
  return SyncFolderOf(path_);
}

absl::Status WriteWholeFile(const std::string& path, absl::string_view bytes, mode_t mode, IfExists if_exists) {
  ASSIGN_OR_RETURN(WholeFile file, WholeFile::Create(path, mode));
  RETURN_IF_ERROR(file.Write(bytes));
  return file.PutInPlace(if_exists);
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) return SystemError("open folder", folder);
  if (fsync(descriptor.get()) != 0) return SystemError("sync folder", folder);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes) {
  // Avoids a wait if the file is a named pipe.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return SystemError("open", path);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return SystemError("read", path);
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  if (static_cast<uint64_t>(info.st_size) > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", info.st_size, " bytes, more than the ", max_bytes, " such a file may have"));
  }
  std::string text(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = read(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", path);
    if (count == 0) break;  // the file has become shorter
    done += static_cast<size_t>(count);
  }
  text.resize(done);
  return text;
}

absl::Status WriteNewTextFile(const std::string& path, absl::string_view text) {
  return WriteWholeFile(path, text, 0644, IfExists::kFail);
}

}  // namespace lean
