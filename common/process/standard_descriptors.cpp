#include "common/process/standard_descriptors.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lean {
namespace {

// libgrpc opens an eventfd when it is loaded, before main.
[[gnu::section(".preinit_array"), gnu::used]] void (*const open_first)() = [] { OpenStandardDescriptors(); };

}  // namespace

bool OpenStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest that is free is the one that is opened. Plain system calls: no library is initialised yet.
    if (syscall(SYS_fcntl, fd, F_GETFD) < 0 && syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

}  // namespace lean
