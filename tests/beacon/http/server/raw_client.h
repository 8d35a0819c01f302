// A TCP client for tests that sends and reads bytes as it likes.
#ifndef LEAN_TESTS_BEACON_HTTP_SERVER_RAW_CLIENT_H_
#define LEAN_TESTS_BEACON_HTTP_SERVER_RAW_CLIENT_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "common/process/descriptors.h"
#include "tests/common/patience.h"

namespace lean::beacon {

class RawClient {
 public:
  // Connects to a port of 127.0.0.1. `receive_buffer`: bytes of the kernel's; 0: its choice.
  explicit RawClient(uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }

  bool Send(absl::string_view bytes) {
    return send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  // What the server sends until the text ends with `end`, or until it closes the connection.
  std::string ReadUntil(absl::string_view end) {
    std::string text;
    while (end.empty() || !absl::EndsWith(text, end)) {
      std::array<char, 4096> bytes;
      // One byte at a time, so that nothing behind the end is taken.
      const ssize_t count = recv(fd_.get(), bytes.data(), end.empty() ? bytes.size() : 1, 0);
      EXPECT_FALSE(count < 0 && errno == EAGAIN) << "the server is silent after: " << text;
      if (count <= 0) break;
      text.append(bytes.data(), static_cast<size_t>(count));
    }
    return text;
  }
  // Until the server closes the connection.
  std::string ReadAll() { return ReadUntil(""); }

  // Sends a request and reads the answer of a server that closes the connection.
  std::string Ask(absl::string_view request) {
    Send(request);
    return ReadAll();
  }

 private:
  Descriptor fd_;
};

}  // namespace lean::beacon

#endif  // LEAN_TESTS_BEACON_HTTP_SERVER_RAW_CLIENT_H_
