#include "tests/validator_client/keymanager/fault_files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace lean::validator {
namespace {

namespace fs = std::filesystem;

// The system calls themselves, without the replacements below.
int OpenFile(const char* path, int flags, mode_t mode) {
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
int RemoveName(const char* path) { return static_cast<int>(syscall(SYS_unlink, path)); }
int RenameName(const char* from, const char* to) { return static_cast<int>(syscall(SYS_rename, from, to)); }

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Write(const std::string& path, const std::string& content) {
  const int descriptor = OpenFile(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (descriptor < 0 || syscall(SYS_write, descriptor, content.data(), content.size()) < 0) std::abort();
  syscall(SYS_close, descriptor);
}

// The changes that a power cut may undo.
class Unsynced {
 public:
  void Made(const std::string& path) {
    names_.push_back({path, [path] { RemoveName(path.c_str()); }});
  }
  void Removed(const std::string& path, const std::string& content) {
    names_.push_back({path, [path, content] { Write(path, content); }});
  }
  // `replaced`: what `to` was before; null: it was not there.
  void Renamed(const std::string& from, const std::string& to, const std::string* replaced) {
    names_.push_back({to, [from, to, had = replaced != nullptr, old = replaced != nullptr ? *replaced : ""] {
                        RenameName(to.c_str(), from.c_str());
                        if (had) Write(to, old);
                      }});
    if (data_.erase(from) > 0) data_.insert(to);
  }
  void Written(const std::string& path) { data_.insert(path); }
  void Synced(const std::string& path) {
    data_.erase(path);
    std::erase_if(names_, [&path](const Name& name) { return fs::path(name.path).parent_path() == path; });
  }

  // Each of it or not; of data any length.
  void Lose(std::mt19937_64& random) {
    for (const std::string& path : data_) {
      std::error_code ignored;
      const uintmax_t size = fs::file_size(path, ignored);
      if (!ignored && truncate(path.c_str(), static_cast<off_t>(random() % (size + 1))) != 0) std::abort();
    }
    for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
      if (random() % 2 == 0) name->undo();
    }
  }

 private:
  struct Name {
    std::string path;
    std::function<void()> undo;
  };
  std::vector<Name> names_;     // oldest first
  std::set<std::string> data_;  // files
};

struct Armed {
  FileFaultPlan plan;
  uint64_t calls = 0;
  Unsynced unsynced;
};

thread_local Armed* armed = nullptr;

std::string PathOf(int descriptor) {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored).string();
}

bool LosesPower(const std::string& path) {
  return path == armed->plan.folder || fs::path(path).parent_path() == armed->plan.folder;
}

[[noreturn]] void Die() {
  kill(getpid(), SIGKILL);
  while (true) pause();
}

// Runs one call that changes files. `note` records which part of it is not on the disk yet.
template <typename Call, typename Note>
auto Counted(const Call& call, const Note& note) {
  if (armed == nullptr) return call();
  const bool now = armed->calls++ == armed->plan.at;
  if (now && armed->plan.fault == FileFault::kKillBefore) Die();
  if (now && armed->plan.fault == FileFault::kFail) {
    errno = EIO;
    return static_cast<decltype(call())>(-1);
  }
  const auto result = call();
  if (result >= 0) note();
  if (now && armed->plan.fault == FileFault::kKillAfter) Die();
  if (now && armed->plan.fault == FileFault::kPowerCut) {
    std::mt19937_64 random(armed->plan.seed);
    armed->unsynced.Lose(random);
    Die();
  }
  return result;
}

void NoteWritten(int descriptor) {
  const std::string path = PathOf(descriptor);
  if (LosesPower(path)) armed->unsynced.Written(path);
}

int Removal(const char* path) {
  const std::string content = armed == nullptr ? "" : Read(path);
  return Counted([path] { return RemoveName(path); },
                 [&] {
                   if (LosesPower(path)) armed->unsynced.Removed(path, content);
                 });
}

int Sync(long call, int descriptor) {
  return Counted([&] { return static_cast<int>(syscall(call, descriptor)); },
                 [&] { armed->unsynced.Synced(PathOf(descriptor)); });
}

int Truncation(int descriptor, off_t size) {
  return Counted([&] { return static_cast<int>(syscall(SYS_ftruncate, descriptor, size)); },
                 [&] { NoteWritten(descriptor); });
}

}  // namespace

void ArmFileFaults(const FileFaultPlan& plan) { armed = new Armed{plan, 0, {}}; }

void DisarmFileFaults() { delete std::exchange(armed, nullptr); }

uint64_t FileCalls() { return armed == nullptr ? 0 : armed->calls; }

}  // namespace lean::validator

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  const auto call = [&] { return lean::validator::OpenFile(path, flags, mode); };
  if ((flags & O_EXCL) == 0) return call();
  return lean::validator::Counted(call, [path] {
    if (lean::validator::LosesPower(path)) lean::validator::armed->unsynced.Made(path);
  });
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return lean::validator::Counted([&] { return static_cast<ssize_t>(syscall(SYS_write, descriptor, bytes, size)); },
                                  [&] { lean::validator::NoteWritten(descriptor); });
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t offset) {
  return lean::validator::Counted(
      [&] { return static_cast<ssize_t>(syscall(SYS_pwrite64, descriptor, bytes, size, offset)); },
      [&] { lean::validator::NoteWritten(descriptor); });
}

int fsync(int descriptor) { return lean::validator::Sync(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { return lean::validator::Sync(SYS_fdatasync, descriptor); }
int ftruncate(int descriptor, off_t size) noexcept { return lean::validator::Truncation(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) noexcept { return lean::validator::Truncation(descriptor, size); }

int link(const char* from, const char* to) noexcept {
  return lean::validator::Counted([&] { return static_cast<int>(syscall(SYS_link, from, to)); },
                                  [to] {
                                    if (lean::validator::LosesPower(to)) lean::validator::armed->unsynced.Made(to);
                                  });
}

int rename(const char* from, const char* to) noexcept {
  const bool there = lean::validator::armed != nullptr && access(to, F_OK) == 0;
  const std::string replaced = there ? lean::validator::Read(to) : "";
  return lean::validator::Counted([&] { return lean::validator::RenameName(from, to); },
                                  [&] {
                                    if (!lean::validator::LosesPower(to)) return;
                                    lean::validator::armed->unsynced.Renamed(from, to, there ? &replaced : nullptr);
                                  });
}

int unlink(const char* path) noexcept { return lean::validator::Removal(path); }
int remove(const char* path) noexcept {
  const int result = lean::validator::Removal(path);
  return result < 0 && errno == EISDIR ? rmdir(path) : result;
}

}  // extern "C"
