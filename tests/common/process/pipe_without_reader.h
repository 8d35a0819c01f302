// A pipe that holds one page, and that nobody reads until the test does. A write after CloseReader fails, as in the
// programs, which ignore SIGPIPE.
#ifndef LEAN_TESTS_COMMON_PROCESS_PIPE_WITHOUT_READER_H_
#define LEAN_TESTS_COMMON_PROCESS_PIPE_WITHOUT_READER_H_

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>

#include "common/process/descriptors.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"

namespace lean {

class PipeWithoutReader {
 public:
  PipeWithoutReader() {
    std::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_ = Descriptor(ends[0]);
    writer_ = Descriptor(ends[1]);
    EXPECT_EQ(fcntl(writer_.get(), F_SETPIPE_SZ, 4096), 4096);
  }

  int writer() const { return writer_.get(); }
  void CloseReader() { reader_ = Descriptor(); }
  void CloseWriter() { writer_ = Descriptor(); }

  // Reads until `last` is in what was read, nothing comes for kPatience, or nobody can write any more.
  std::string ReadUntil(const std::string& last) {
    std::string text;
    char part[4096];
    while (text.find(last) == std::string::npos) {
      pollfd ready{.fd = reader_.get(), .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) != 1) break;
      const ssize_t count = read(reader_.get(), part, sizeof(part));
      if (count <= 0) break;
      text.append(part, static_cast<size_t>(count));
    }
    return text;
  }

 private:
  Descriptor reader_;
  Descriptor writer_;
};

}  // namespace lean

#endif  // LEAN_TESTS_COMMON_PROCESS_PIPE_WITHOUT_READER_H_
