#include "common/rpc/client/calls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/connections/receive_budget.h"
#include "gtest/gtest.h"
#include "lean/v1/validator.pb.h"
#include "tests/common/patience.h"
#include "tests/common/process/captured_log.h"

namespace lean::rpc {
namespace {

using std::chrono::milliseconds;

constexpr char kMethod[] = "/lean.v1.DutyService/BuildVote";
constexpr size_t kPrefaceBytes = 24;  // of a client
constexpr size_t kFrameHeadBytes = 9;
constexpr char kHeaders = 1;
constexpr char kSettings = 4;
constexpr char kPing = 6;
constexpr char kContinuation = 9;
constexpr char kEndHeaders = 4;

// A frame of HTTP/2.
std::string Frame(char type, char flags, char stream, const std::string& payload) {
  std::string frame(3, 0);
  frame[2] = static_cast<char>(payload.size());
  frame += type;
  frame += flags;
  frame += std::string(3, 0) + stream;
  return frame + payload;
}

// A server of raw bytes: once a call begins it says `once`, and then `without_end` until its connection is closed; it
// says nothing of its own when there is none. Serves one connection after the other.
class RawServer {
 public:
  RawServer(std::string once, const std::string& without_end) : once_(std::move(once)) {
    while (!without_end.empty() && endless_.size() < (1u << 20)) endless_ += without_end;
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    shutdown(connection_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  absl::Notification called;

 private:
  void Serve() {
    while ((connection_ = accept(listener_, nullptr, nullptr)) >= 0) {
      const int connection = connection_;
      if (Send(connection, Frame(kSettings, 0, 0, "")) && AwaitCall(connection)) {
        if (!called.HasBeenNotified()) called.Notify();
        std::thread drain([connection] {
          std::vector<char> bytes(1 << 16);
          while (recv(connection, bytes.data(), bytes.size(), 0) > 0) {
          }
        });
        bool open = Send(connection, once_);
        while (open && !endless_.empty()) open = Send(connection, endless_);
        drain.join();
      }
      close(connection);
    }
  }
  static bool Send(int connection, const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t more = send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) return false;
      sent += static_cast<size_t>(more);
    }
    return true;
  }
  static std::optional<std::string> Receive(int connection, size_t size) {
    std::string bytes(size, 0);
    if (size > 0 && recv(connection, bytes.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size))
      return std::nullopt;
    return bytes;
  }
  static bool AwaitCall(int connection) {
    if (!Receive(connection, kPrefaceBytes).has_value()) return false;
    while (true) {
      const std::optional<std::string> head = Receive(connection, kFrameHeadBytes);
      if (!head.has_value()) return false;
      const size_t size = (static_cast<uint8_t>((*head)[0]) << 16) | (static_cast<uint8_t>((*head)[1]) << 8) |
                          static_cast<uint8_t>((*head)[2]);
      if (!Receive(connection, size).has_value()) return false;
      if ((*head)[3] == kHeaders) return true;
    }
  }

  const std::string once_;
  std::string endless_;
  int listener_ = -1;
  std::atomic<int> connection_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::unique_ptr<BoundedCalls> CallsOn(const RawServer& server) {
  const auto channel = MakeChannel(server.address());
  EXPECT_TRUE(channel.ok()) << channel.status();
  return std::make_unique<BoundedCalls>([channel = *channel] { return channel; });
}

// Returns the call's end; a test whose call never returns fails after some time.
absl::Status CallAndAwait(BoundedCalls& calls, milliseconds timeout) {
  std::promise<absl::Status> result;
  std::future<absl::Status> returned = result.get_future();
  std::thread caller([&] { result.set_value(calls.Call(kMethod, v1::BuildVoteRequest(), timeout).status()); });
  const bool in_time = returned.wait_for(kPatience) == std::future_status::ready;
  EXPECT_TRUE(in_time) << "the call has not returned";
  if (!in_time) calls.Cancel();
  caller.join();
  return returned.get();
}

void ExpectEndsInTime(const std::string& once, const std::string& without_end) {
  CapturedLog log;
  RawServer server(once, without_end);
  const ReceiveBudget budget({.burst_bytes = 4 << 20, .bytes_per_second = 1 << 20}, log.logger());
  const auto calls = CallsOn(server);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(CallAndAwait(*calls, milliseconds(200)).ok());
  }
}

TEST(BoundedCalls, EndWhenTheServerSaysNothing) { ExpectEndsInTime("", ""); }

// ":status: 200", and no end of it.
TEST(BoundedCalls, EndWhenHeadersGoOnForEver) {
  ExpectEndsInTime(Frame(kHeaders, 0, 1, "\x88"), Frame(kContinuation, 0, 1, ""));
}

TEST(BoundedCalls, EndWhenPingsGoOnForEver) { ExpectEndsInTime("", Frame(kPing, 0, 0, "12345678")); }

TEST(BoundedCalls, EndWhenSettingsGoOnForEver) { ExpectEndsInTime("", Frame(kSettings, 0, 0, "")); }

TEST(BoundedCalls, EndWhenHeadersComeAgainAndAgain) { ExpectEndsInTime("", Frame(kHeaders, kEndHeaders, 1, "\x88")); }

TEST(BoundedCalls, CancelEndsAllWaitsAtOnce) {
  RawServer server("", "");
  const auto calls = CallsOn(server);
  std::thread canceller([&] {
    server.called.WaitForNotification();
    calls->Cancel();
  });
  EXPECT_TRUE(absl::IsCancelled(CallAndAwait(*calls, 2 * kPatience)));
  canceller.join();
  EXPECT_TRUE(absl::IsCancelled(CallAndAwait(*calls, milliseconds(200))));
}

TEST(BoundedCalls, KeepsOnlySoManyCallsThatHaveNotEnded) {
  RawServer server("", "");
  const auto calls = CallsOn(server);
  std::vector<std::thread> callers;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 20; ++i) {
    callers.emplace_back([&] {
      const absl::Status status = calls->Call(kMethod, v1::BuildVoteRequest(), 2 * kPatience).status();
      if (absl::IsUnavailable(status) && ++refused == 4) calls->Cancel();
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, 4);
}

}  // namespace
}  // namespace lean::rpc
