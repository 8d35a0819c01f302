#include "tests/e2e/machines/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lean::machines {

absl::StatusOr<Tap> Tap::Open(const std::string& space, const std::string& name) {
  const auto error = [](absl::string_view what) { return absl::ErrnoToStatus(errno, what); };
  ifreq request{};
  if (name.empty() || name.size() >= sizeof(request.ifr_name)) return absl::InvalidArgumentError("device's name");

  const int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) return error("/proc/self/ns/net");
  const absl::Cleanup close_home = [home] { close(home); };
  const int target = open(space.c_str(), O_RDONLY | O_CLOEXEC);
  if (target < 0) return error(space);
  const absl::Cleanup close_target = [target] { close(target); };
  if (setns(target, CLONE_NEWNET) != 0) return error(absl::StrCat("entering ", space));
  // A device belongs to the namespace in which its file was opened.
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const int open_errno = errno;
  if (setns(home, CLONE_NEWNET) != 0) return error("going home");
  errno = open_errno;
  if (fd < 0) return error("/dev/net/tun");
  Tap tap(fd);

  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::memcpy(request.ifr_name, name.data(), name.size());
  if (ioctl(fd, TUNSETIFF, &request) != 0) return error(absl::StrCat("making the device ", name));
  return tap;
}

Tap::~Tap() {
  if (fd_ >= 0) close(fd_);
}

ByteSpan Tap::Read(std::vector<uint8_t>& buffer) const {
  const ssize_t size = read(fd_, buffer.data(), buffer.size());
  return size > 0 ? ByteSpan(buffer.data(), static_cast<size_t>(size)) : ByteSpan();
}

void Tap::Write(ByteSpan frame) const {
  // Ethernet loses frames: what counts on all of them asks again.
  [[maybe_unused]] const ssize_t written = write(fd_, frame.data(), frame.size());
}

}  // namespace lean::machines
