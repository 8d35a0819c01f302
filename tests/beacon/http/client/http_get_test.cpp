#include "beacon/http/client/http_get.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/process/descriptors.h"

namespace lean::beacon {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::chrono::milliseconds kShort{200};

// Accepts one connection, reads a request, and does what the test says with the connection.
class OneAnswer {
 public:
  using Serve = std::function<void(int connection)>;

  explicit OneAnswer(Serve serve) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_ = {.host = "127.0.0.1", .port = ntohs(address.sin_port)};
    thread_ = std::thread([this, serve = std::move(serve)] {
      const Descriptor connection(accept(listener_.get(), nullptr, nullptr));
      std::array<char, 4096> bytes;
      const ssize_t count = recv(connection.get(), bytes.data(), bytes.size(), 0);
      if (count > 0) request_.assign(bytes.data(), static_cast<size_t>(count));
      serve(connection.get());
    });
  }
  ~OneAnswer() {
    shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

  // Sends until the client has left.
  static bool Send(int connection, absl::string_view bytes) {
    return send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  const rpc::Address& address() const { return address_; }
  const std::string& request() {
    thread_.join();
    return request_;
  }

 private:
  const Descriptor listener_;
  rpc::Address address_;
  std::string request_;
  std::thread thread_;
};

absl::StatusOr<std::string> Get(const rpc::Address& address, const HttpGetLimits& limits = {}) {
  return HttpGet(address, "/lean/v0/blocks/finalized", limits, {});
}

// What comes of a server that answers with these bytes and closes the connection.
absl::StatusOr<std::string> GetAnswer(const std::string& bytes, const HttpGetLimits& limits = {}) {
  OneAnswer server([&](int connection) { OneAnswer::Send(connection, bytes); });
  return Get(server.address(), limits);
}

TEST(HttpGetTest, TheBodyOfAnAnswerIsReturned) {
  OneAnswer server(
      [](int connection) { OneAnswer::Send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"); });
  EXPECT_EQ(Get(server.address()).value(), "hello");
  EXPECT_EQ(server.request(),
            absl::StrCat("GET /lean/v0/blocks/finalized HTTP/1.1\r\nHost: ", server.address().ToString(),
                         "\r\nAccept: application/octet-stream\r\nConnection: close\r\n\r\n"));
}

TEST(HttpGetTest, OtherFormsOfABody) {
  EXPECT_EQ(GetAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n").value(),
            "hello");
  EXPECT_EQ(GetAnswer("HTTP/1.0 200 OK\r\n\r\nhello").value(), "hello");  // until the end of the connection
  EXPECT_EQ(GetAnswer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").value(), "");
}

TEST(HttpGetTest, OtherStatusesAreErrorsWithTheirText) {
  const absl::Status status =
      GetAnswer("HTTP/1.1 404 Not Found\r\nContent-Length: 20\r\n\r\n{\"error\":\"not\there\"}").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/lean/v0/blocks/finalized: status 404 {'error':'not here'}"));
  EXPECT_THAT(std::string(GetAnswer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
                              .status()
                              .message()),
              HasSubstr("status 302"));
}

TEST(HttpGetTest, TooManyBytesAreNotRead) {
  const HttpGetLimits limits{.bytes = 1000};
  EXPECT_THAT(std::string(GetAnswer("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", limits).status().message()),
              HasSubstr("more than 1000 bytes"));
  for (const char* header : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    OneAnswer server([header](int connection) {
      OneAnswer::Send(connection, header);
      const bool chunked = absl::string_view(header).find("chunked") != absl::string_view::npos;
      while (OneAnswer::Send(connection, chunked ? "a\r\n0123456789\r\n" : "0123456789")) {
      }
    });
    EXPECT_THAT(std::string(Get(server.address(), limits).status().message()), HasSubstr("more than 1000 bytes"));
  }
  OneAnswer endless([](int connection) {
    OneAnswer::Send(connection, "HTTP/1.1 200 OK\r\n");
    while (OneAnswer::Send(connection, "A: b\r\n")) {
    }
  });
  EXPECT_TRUE(absl::IsInvalidArgument(Get(endless.address()).status()));
}

TEST(HttpGetTest, WhatIsNotHttpIsSaidToBe) {
  for (const char* bytes :
       {"hello\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\x16\x03\x01", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"}) {
    EXPECT_FALSE(GetAnswer(bytes).ok()) << bytes;
  }
  EXPECT_THAT(std::string(GetAnswer("hello\r\n\r\n").status().message()), HasSubstr("its answer is not HTTP"));
}

TEST(HttpGetTest, AnAnswerThatEndsEarlyIsAnError) {
  for (const char* bytes : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    EXPECT_TRUE(absl::IsUnavailable(GetAnswer(bytes).status())) << bytes;
  }
}

TEST(HttpGetTest, ASilentOrSlowServerIsGivenUp) {
  const auto wait_for_end = [](int connection) {
    char byte = 0;
    while (recv(connection, &byte, 1, 0) > 0) {
    }
  };
  OneAnswer silent(wait_for_end);
  EXPECT_TRUE(absl::IsDeadlineExceeded(Get(silent.address(), {.pause = kShort}).status()));
  // Each byte comes in time, but all of them do not.
  OneAnswer slow([](int connection) {
    OneAnswer::Send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (OneAnswer::Send(connection, "x")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  EXPECT_TRUE(absl::IsDeadlineExceeded(Get(slow.address(), {.free_time = kShort}).status()));
}

TEST(HttpGetTest, AStopEndsIt) {
  std::stop_source stop;
  OneAnswer server([&](int connection) {
    stop.request_stop();
    char byte = 0;
    while (recv(connection, &byte, 1, 0) > 0) {
    }
  });
  EXPECT_TRUE(absl::IsCancelled(HttpGet(server.address(), "/", {}, stop.get_token()).status()));
  EXPECT_TRUE(absl::IsCancelled(HttpGet(server.address(), "/", {}, stop.get_token()).status()));
}

TEST(HttpGetTest, ANameOrPortWithoutServerIsUnavailable) {
  EXPECT_TRUE(absl::IsUnavailable(Get({.host = "127.0.0.1", .port = 1}).status()));
  EXPECT_TRUE(absl::IsUnavailable(Get({.host = "name.invalid", .port = 1}).status()));
}

}  // namespace
}  // namespace lean::beacon
