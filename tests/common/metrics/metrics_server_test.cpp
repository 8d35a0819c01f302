#include "common/metrics/metrics_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace lean::metrics {
namespace {

// The answer to GET /metrics at 127.0.0.1:PORT.
std::string Scrape(const std::string& address) {
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return "no port";
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    char buffer[4096];
    if (write(descriptor, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
      for (ssize_t got = 0; (got = read(descriptor, buffer, sizeof(buffer))) > 0;) {
        answer.append(buffer, static_cast<size_t>(got));
      }
    }
  }
  close(descriptor);
  return answer;
}

TEST(MetricsServer, ServesWhatIsCountedAndWhatIsReadAtTheScrape) {
  const auto registry = std::make_shared<Registry>();
  Counter counted(*registry, "test_things_total", "Things");
  Gauge read(*registry, "test_level", "A level");
  Histogram timed(*registry, "test_seconds", "Times", {0.1, 1});
  registry->AddRefresher([&read, level = 0]() mutable { read.Set(++level); });
  counted.Add({{"kind", "good"}}, 2);
  timed.Observe(0.5);
  const auto server = MetricsServer::Start("0", registry);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(absl::StartsWith((*server)->address(), "127.0.0.1:"));
  const std::string first = Scrape((*server)->address());
  EXPECT_TRUE(absl::StrContains(first, "test_things_total{kind=\"good\"} 2")) << first;
  EXPECT_TRUE(absl::StrContains(first, "test_level 1\n")) << first;
  EXPECT_TRUE(absl::StrContains(first, "test_seconds_bucket{le=\"1\"} 1")) << first;
  read.Remove({});
  EXPECT_TRUE(absl::StrContains(Scrape((*server)->address()), "test_level 2\n"));
}

TEST(MetricsServer, ATakenPortAndABadAddressAreNamed) {
  const auto server = MetricsServer::Start("127.0.0.1:0", std::make_shared<Registry>());
  ASSERT_TRUE(server.ok()) << server.status();
  const absl::Status taken = MetricsServer::Start((*server)->address(), std::make_shared<Registry>()).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(taken.message(), (*server)->address())) << taken;
  for (const char* address : {"", ":1", "host:", "host:70000", "1.2.3.4:1,2.3.4.5:2", "1.2.3.4:1s"}) {
    EXPECT_EQ(MetricsServer::Start(address, std::make_shared<Registry>()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
}

}  // namespace
}  // namespace lean::metrics
