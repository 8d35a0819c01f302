#include "common/rpc/connections/connection_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/concurrency/mutex.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/server/server.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "spdlog/sinks/null_sink.h"
#include "tests/common/patience.h"

namespace lean::rpc {
namespace {

using ::testing::HasSubstr;

class ConnectionGateTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& address, GateOptions gate) {
    return Server::Start({.address = address,
                          .tls = {},
                          .insecure = true,
                          .log = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_mt>()),
                          .gate = std::move(gate)},
                         {});
  }
  // A call, over a channel of its own.
  static absl::Status Check(const std::string& address) {
    ASSIGN_OR_RETURN(const auto channel, MakeChannel(address));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    grpc::health::v1::HealthCheckResponse response;
    return FromGrpcStatus(grpc::health::v1::Health::NewStub(channel)->Check(&context, {}, &response));
  }

  // From 127.0.0.HOST.
  static Descriptor Connect(const Server& server, uint32_t host = 1) {
    Descriptor fd = Bound(host);
    ConnectTo(server, fd);
    return fd;
  }
  static Descriptor Bound(uint32_t host) {
    Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl((127u << 24) + host);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof(from)), 0);
    return fd;
  }
  static void ConnectTo(const Server& server, const Descriptor& fd) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.address().port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  static absl::Status CheckUntilServed(const std::string& address) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    absl::Status status = Check(address);
    while (!status.ok() && std::chrono::steady_clock::now() < give_up) status = Check(address);
    return status;
  }
  // Whether it has reached gRPC, which begins with its settings, and was not closed instead.
  static bool IsServed(const Descriptor& fd, std::chrono::milliseconds patience = kPatience) {
    pollfd waiting{.fd = fd.get(), .events = POLLIN, .revents = 0};
    char byte = 0;
    return poll(&waiting, 1, static_cast<int>(patience.count())) == 1 && recv(fd.get(), &byte, 1, MSG_PEEK) == 1;
  }
  // Whether the other end closes it, whatever it says before.
  static bool IsEnded(const Descriptor& fd) {
    pollfd waiting{.fd = fd.get(), .events = POLLIN, .revents = 0};
    std::array<char, 256> bytes{};
    while (poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) == 1) {
      if (recv(fd.get(), bytes.data(), bytes.size(), 0) <= 0) return true;
    }
    return false;
  }
  // Whether the other end closes it, without a byte.
  static bool IsClosed(const Descriptor& fd) {
    pollfd waiting{.fd = fd.get(), .events = POLLIN, .revents = 0};
    char byte = 0;
    return poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) == 1 &&
           recv(fd.get(), &byte, 1, 0) <= 0;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> hosts_;
};

TEST_F(ConnectionGateTest, WhoComesIsServed) {
  const auto server = Start("127.0.0.1:0", {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_NE((*server)->address().port, 0);
  EXPECT_TRUE(Check((*server)->address().ToString()).ok());
}

TEST_F(ConnectionGateTest, OnAllAddressesAnIpv4HostIsOneHost) {
  const auto server = Start("0.0.0.0:0", {.limits = {.total = 8, .per_host = 1}});
  ASSERT_TRUE(server.ok()) << server.status();
  const Descriptor first = Connect(**server, 2);
  EXPECT_TRUE(IsServed(first));
  EXPECT_TRUE(IsClosed(Connect(**server, 2)));
  EXPECT_TRUE(Check("127.0.0.1:" + std::to_string((*server)->address().port)).ok());
}

TEST_F(ConnectionGateTest, DescriptorsAreLeftToOthers) {
  // As many as are open already, and some.
  const Descriptor lowest_free(dup(0));
  const auto server = Start("127.0.0.1:0", {.max_descriptors = lowest_free.get() + 40});
  ASSERT_TRUE(server.ok()) << server.status();
  // The client's ends are in this process, too. What is beyond is closed at once.
  std::vector<Descriptor> silent;
  do {
    ASSERT_LT(silent.size(), 40u);
    silent.push_back(Connect(**server));
  } while (IsServed(silent.back()));
  EXPECT_GT(silent.size(), 1u);
  silent.clear();
  // As soon as gRPC has noticed there is room again.
  EXPECT_EQ(CheckUntilServed((*server)->address().ToString()), absl::OkStatus());
}

TEST_F(ConnectionGateTest, AHostHasAShareOfTheConnections) {
  const auto server = Start("127.0.0.1:0", {.limits = {.total = 12, .per_host = 8}});
  ASSERT_TRUE(server.ok()) << server.status();
  std::vector<Descriptor> open;
  const auto expect_served = [&](uint32_t host) {
    open.push_back(Connect(**server, host));
    EXPECT_TRUE(IsServed(open.back()));
  };
  for (int i = 0; i < 8; ++i) expect_served(2);
  EXPECT_TRUE(IsClosed(Connect(**server, 2)));
  for (int i = 0; i < 4; ++i) expect_served(3);
  EXPECT_TRUE(IsClosed(Connect(**server, 4)));
}

TEST_F(ConnectionGateTest, MuteConnectionsMakeRoomForWhoSpeaks) {
  const auto server = Start("127.0.0.1:0", {.limits = {.total = 8, .per_host = 8}});
  ASSERT_TRUE(server.ok()) << server.status();
  std::vector<Descriptor> mute;
  for (int i = 0; i < 8; ++i) mute.push_back(Connect(**server, 2));
  for (const Descriptor& fd : mute) ASSERT_TRUE(IsServed(fd));
  // gRPC itself would close them after ten seconds.
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(CheckUntilServed((*server)->address().ToString()), absl::OkStatus());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
  for (const Descriptor& fd : mute) EXPECT_TRUE(IsEnded(fd));
}

// What gRPC's own accepting loop does not survive.
TEST_F(ConnectionGateTest, AfterTheProcessRanOutOfDescriptorsItGoesOn) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer reads an object's type through a pipe, and takes it for damaged without descriptors";
#endif
  const auto server = Start("127.0.0.1:0", {.limits = {.total = 1000, .per_host = 1000}, .max_descriptors = 1'000'000});
  ASSERT_TRUE(server.ok()) << server.status();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<Descriptor> open;
  open.push_back(Connect(**server));
  ASSERT_TRUE(IsServed(open[0]));
  const Descriptor waiting = Bound(1);
  const rlimit low{.rlim_cur = static_cast<rlim_t>(waiting.get()) + 8, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  // Both ends are in this process: none is left for the gate.
  for (Descriptor last(dup(open[0].get())); last.valid(); last = Descriptor(dup(open[0].get()))) {
    open.push_back(std::move(last));
  }
  ConnectTo(**server, waiting);
  EXPECT_FALSE(IsServed(waiting, std::chrono::milliseconds(500)));  // accept fails meanwhile, several times
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  open.clear();
  EXPECT_EQ(CheckUntilServed((*server)->address().ToString()), absl::OkStatus());
}

TEST_F(ConnectionGateTest, AUnixSocketIsServedAndRemovedAtTheEnd) {
  const std::string dir = ::testing::TempDir() + "/lean_gate_test." + std::to_string(getpid());
  std::filesystem::create_directories(dir);
  std::filesystem::permissions(dir, std::filesystem::perms::owner_all);
  const std::string path = dir + "/socket";
  auto server = Start("unix:" + path, {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(Check("unix:" + path), absl::OkStatus());
  EXPECT_THAT(Start("unix:" + path, {}).status().message(), HasSubstr("another process serves it"));
  server->reset();
  EXPECT_FALSE(std::filesystem::exists(path));
  std::filesystem::remove_all(dir);
}

TEST_F(ConnectionGateTest, Ipv6IsServed) {
  const auto server = Start("[::1]:0", {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(Check((*server)->address().ToString()), absl::OkStatus());
}

TEST_F(ConnectionGateTest, APortInUseIsNamed) {
  const auto first = Start("127.0.0.1:0", {});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string address = (*first)->address().ToString();
  const auto second = Start(address, {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr("cannot listen on " + address + ": Address already in use"));
  EXPECT_THAT(Start("192.0.2.1:5", {}).status().message(),
              HasSubstr("cannot listen on 192.0.2.1:5: Cannot assign requested address"));
}

TEST_F(ConnectionGateTest, ThePortIsFreeAgainAfterTheEnd) {
  auto first = Start("127.0.0.1:0", {});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string address = (*first)->address().ToString();
  EXPECT_TRUE(Check(address).ok());
  first->reset();
  const auto second = Start(address, {});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(Check(address).ok());
}

}  // namespace
}  // namespace lean::rpc
