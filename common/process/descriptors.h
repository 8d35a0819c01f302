// File descriptors of the process.
#ifndef LEAN_COMMON_PROCESS_DESCRIPTORS_H_
#define LEAN_COMMON_PROCESS_DESCRIPTORS_H_

#include <cstdint>
#include <utility>

namespace lean {

// Owns a file descriptor, or none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this == &other) return *this;
    Close();
    fd_ = other.Release();
    return *this;
  }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Releases the descriptor to the caller.
  int Release() { return std::exchange(fd_, -1); }

 private:
  void Close();

  int fd_ = -1;
};

// Raises the limit of open descriptors as far as the user may, up to kMostDescriptors. The default of a shell (1024) is
// low for a server with a database. Returns the new limit.
inline constexpr uint64_t kMostDescriptors = 16'384;
uint64_t RaiseDescriptorLimit();

// The current limit of open descriptors.
uint64_t DescriptorLimit();

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_DESCRIPTORS_H_
