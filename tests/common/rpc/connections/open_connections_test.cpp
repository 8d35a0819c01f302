#include "common/rpc/connections/open_connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "common/process/descriptors.h"
#include "gtest/gtest.h"

namespace lean::rpc {
namespace {

constexpr size_t kKiB = size_t{1} << 10;

// Both ends of a connection over TCP; what one sends the other takes at once.
class Connection {
 public:
  Connection() {
    const Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener.get(), plain, size), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    EXPECT_EQ(getsockname(listener.get(), plain, &size), 0);
    client_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(client_.get(), plain, size), 0);
    EXPECT_EQ(getsockname(client_.get(), plain, &size), 0);
    name_ = RequestBytes::NameOf("127.0.0.1", ntohs(address.sin_port));
    server_ = Descriptor(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  int server() const { return server_.get(); }
  const std::string& name() const { return name_; }

  void Send(size_t bytes) {
    const std::string sent(bytes, 'x');
    std::thread sender([&] { EXPECT_EQ(send(client_.get(), sent.data(), bytes, 0), static_cast<ssize_t>(bytes)); });
    std::string received(bytes, ' ');
    EXPECT_EQ(recv(server_.get(), received.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
    sender.join();
  }

  bool IsShutDown() const {
    pollfd end{.fd = server_.get(), .events = POLLRDHUP, .revents = 0};
    return poll(&end, 1, 0) == 1;
  }

 private:
  Descriptor client_;
  Descriptor server_;
  std::string name_;
};

class OpenConnectionsTest : public ::testing::Test {
 protected:
  void Add(const Connection& connection) { open_.Add(connection.server(), "127.0.0.1", connection.name(), now_); }
  void Count(const Connection& connection, size_t bytes) { requests_->Count("ipv4:" + connection.name(), bytes); }
  void Look() {
    now_ += OpenConnections::kUnfinishedPause;
    open_.EndUnfinished(now_);
  }

  const std::shared_ptr<RequestBytes> requests_ = std::make_shared<RequestBytes>();
  OpenConnections open_{
      {.total = 100, .per_host = 100}, {.connection_bytes = 1000 * kKiB, .bytes = 3000 * kKiB}, requests_};
  OpenConnections::Time now_ = std::chrono::steady_clock::now();
};

TEST_F(OpenConnectionsTest, WhoKeepsTooMuchBackIsShutDown) {
  Connection keeper;
  Connection honest;
  Add(keeper);
  Add(honest);
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(keeper.IsShutDown()) << i;
    keeper.Send(250 * kKiB);
    honest.Send(900 * kKiB);
    Look();
    // Its request becomes whole after a while, with some bytes more.
    Count(honest, 900 * kKiB);
    honest.Send(1 * kKiB);
    Look();
  }
  EXPECT_TRUE(keeper.IsShutDown());
  EXPECT_FALSE(honest.IsShutDown());
}

TEST_F(OpenConnectionsTest, OfAllTogetherTheOldestAreShutDown) {
  Connection first;
  Connection second;
  Connection third;
  Connection latest;
  for (Connection* connection : {&first, &second, &third, &latest}) Add(*connection);
  for (Connection* connection : {&second, &first, &third}) {
    connection->Send(900 * kKiB);
    Look();
  }
  EXPECT_FALSE(second.IsShutDown());
  latest.Send(900 * kKiB);
  Look();
  EXPECT_TRUE(second.IsShutDown());
  EXPECT_FALSE(first.IsShutDown());
  EXPECT_FALSE(third.IsShutDown());
  EXPECT_FALSE(latest.IsShutDown());
}

TEST_F(OpenConnectionsTest, WhatWasClosedCountsNoMore) {
  Connection open[3];
  {
    Connection closed;
    for (Connection* connection : {&closed, &open[0], &open[1], &open[2]}) Add(*connection);
    for (Connection* connection : {&closed, &open[0], &open[1]}) connection->Send(900 * kKiB);
    Look();
  }
  open[2].Send(900 * kKiB);
  Look();
  for (const Connection& connection : open) EXPECT_FALSE(connection.IsShutDown());
}

TEST_F(OpenConnectionsTest, SmallCallsForDaysAreNothing) {
  Connection connection;
  Add(connection);
  for (int i = 0; i < 20; ++i) {
    // Headers and frames of a hundred calls, and as many messages.
    connection.Send(100 * 150);
    for (int call = 0; call < 100; ++call) Count(connection, 40);
    Look();
  }
  connection.Send(990 * kKiB);
  Look();
  EXPECT_FALSE(connection.IsShutDown());
}

TEST_F(OpenConnectionsTest, WhatGrantsRoomForAnswersIsNothingKeptBack) {
  Connection connection;
  Add(connection);
  for (int i = 0; i < 20; ++i) {
    // A call, and 84 bytes for each 32 KiB of an answer of 16 MiB.
    connection.Send(200 + 512 * 84);
    Count(connection, 40);
    requests_->CountAnswer("ipv4:" + connection.name(), 16 << 20);
    Look();
  }
  connection.Send(990 * kKiB);
  Look();
  EXPECT_FALSE(connection.IsShutDown());
}

TEST(RequestBytes, ConnectionsAreNamedAsGrpcNamesThem) {
  RequestBytes requests;
  for (const auto& [peer, host] :
       {std::pair("ipv4:10.0.0.1:80", "10.0.0.1"), std::pair("ipv6:%5B::1%5D:80", "::1"),
        std::pair("ipv6:[::1]:80", "::1"), std::pair("ipv6:%5Bfe80::1%25eth0%5D:80", "fe80::1")}) {
    const std::string name = RequestBytes::NameOf(host, 80);
    requests.Open(name);
    requests.Count(peer, 1000);
    EXPECT_GE(requests.Take(name), 1000u) << peer;
    EXPECT_EQ(requests.Take(name), 0u) << peer;
    requests.Close(name);
    requests.Count(peer, 1000);
    EXPECT_EQ(requests.Take(name), 0u) << peer;
  }
}

}  // namespace
}  // namespace lean::rpc
