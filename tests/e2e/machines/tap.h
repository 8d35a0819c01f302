// A network device whose cable ends in this process.
#ifndef LEAN_TESTS_E2E_MACHINES_TAP_H_
#define LEAN_TESTS_E2E_MACHINES_TAP_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/bytes.h"

namespace lean::machines {

// A TAP device in a network namespace; it goes when this object does. Thread compatible.
class Tap {
 public:
  // Makes the device `name` in the namespace that the file `space` stands for (/proc/PID/fd/N, /run/netns/NAME). The
  // calling thread is in that namespace meanwhile. An error says which step failed.
  static absl::StatusOr<Tap> Open(const std::string& space, const std::string& name);

  Tap(Tap&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Tap& operator=(Tap&&) = delete;
  ~Tap();

  int fd() const { return fd_; }
  // The next frame that the machine sent; empty: none waits.
  ByteSpan Read(std::vector<uint8_t>& buffer) const;
  // Hands a frame to the machine. One that it has no room for, or while its device is down, is lost.
  void Write(ByteSpan frame) const;

 private:
  explicit Tap(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace lean::machines

#endif  // LEAN_TESTS_E2E_MACHINES_TAP_H_
