#include "common/rpc/connections/receive_budget.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <thread>
#include <vector>

#include "common/process/descriptors.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/common/process/captured_log.h"

namespace lean::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ReceiveLimits kLimits = {.burst_bytes = 1000, .bytes_per_second = 100};
const ReceiveAccounts::Time kStart = ReceiveAccounts::Time() + std::chrono::hours(1);

TEST(ReceiveAccounts, AllowsABurstAndThenTheAverage) {
  ReceiveAccounts accounts(kLimits);
  EXPECT_TRUE(accounts.Charge("a:1", 1000, kStart));
  EXPECT_FALSE(accounts.Charge("a:1", 1, kStart));
  EXPECT_TRUE(accounts.Charge("a:1", 99, kStart + seconds(1)));
  EXPECT_FALSE(accounts.Charge("a:1", 102, kStart + seconds(2)));
}

TEST(ReceiveAccounts, KeepsAddressesApart) {
  ReceiveAccounts accounts(kLimits);
  EXPECT_FALSE(accounts.Charge("a:1", 1001, kStart));
  EXPECT_TRUE(accounts.Charge("a:2", 1000, kStart));
}

TEST(ReceiveAccounts, AnyDebtIsPaidBackWithinTwoBursts) {
  ReceiveAccounts accounts(kLimits);
  EXPECT_FALSE(accounts.Charge("a:1", uint64_t{1} << 62, kStart));
  EXPECT_FALSE(accounts.Charge("a:1", 1, kStart + seconds(20)));
  EXPECT_TRUE(accounts.Charge("a:1", 0, kStart + seconds(21)));
}

TEST(ReceiveAccounts, ForgetsThoseThatHavePaid) {
  ReceiveAccounts accounts(kLimits);
  accounts.Charge("a:1", 500, kStart);
  accounts.Charge("a:2", 100, kStart);
  accounts.ForgetSettled(kStart + seconds(2));
  EXPECT_EQ(accounts.size(), 1);
  EXPECT_FALSE(accounts.Charge("a:1", 701, kStart + seconds(2)));
}

// A loopback connection: what the first end writes, the second receives.
std::array<Descriptor, 2> Connect() {
  const Descriptor listener(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  Descriptor receiver(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(connect(receiver.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  return {Descriptor(accept(listener.get(), nullptr, nullptr)), std::move(receiver)};
}

TEST(ReceiveBudget, ClosesAConnectionThatBringsTooMuchAndNoOther) {
  CapturedLog log;
  const auto flooded = Connect();
  const auto quiet = Connect();
  const ReceiveBudget budget({.burst_bytes = 1 << 20, .bytes_per_second = 1}, log.logger());
  std::thread flood([&flooded] {
    const std::vector<char> chunk(1 << 16);
    while (send(flooded[0].get(), chunk.data(), chunk.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  std::vector<char> chunk(1 << 16);
  uint64_t received = 0;
  for (ssize_t got = 1; got > 0; received += static_cast<uint64_t>(got > 0 ? got : 0)) {
    got = recv(flooded[1].get(), chunk.data(), chunk.size(), 0);  // ends when the connection is closed
  }
  EXPECT_GT(received, uint64_t{1} << 20);
  flood.join();
  EXPECT_EQ(log.Count("warning connections closed count=1 last=127.0.0.1:"), 1) << log.text();
  ASSERT_EQ(send(quiet[0].get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(recv(quiet[1].get(), chunk.data(), chunk.size(), 0), 1);
}

}  // namespace
}  // namespace lean::rpc
