// File descriptors of the process.
#ifndef LEAN_COMMON_PROCESS_DESCRIPTORS_H_
#define LEAN_COMMON_PROCESS_DESCRIPTORS_H_

#include <cstdint>
#include <utility>

namespace lean {

// Owns one, or none.
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
  // It is the caller's from now on.
  int Release() { return std::exchange(fd_, -1); }

 private:
  void Close();

  int fd_ = -1;
};

// Lets this process open as many as its user may, up to kMostDescriptors: what a shell gives at first (1024) is little
// for a server with a database. Returns how many it may open now.
inline constexpr uint64_t kMostDescriptors = 16'384;
uint64_t RaiseDescriptorLimit();

// How many this process may open now.
uint64_t DescriptorLimit();

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_DESCRIPTORS_H_
