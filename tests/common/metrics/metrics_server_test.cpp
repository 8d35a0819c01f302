#include "common/metrics/metrics_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/process/descriptors.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"

namespace lean::metrics {
namespace {

// Connected to [::1]:PORT or 127.0.0.1:PORT.
Descriptor Connect(const std::string& address) {
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return Descriptor();
  if (absl::StartsWith(address, "[::1]")) {
    Descriptor fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(static_cast<uint16_t>(port));
    to.sin6_addr = in6addr_loopback;
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ? std::move(fd) : Descriptor();
  }
  Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ? std::move(fd) : Descriptor();
}

std::string ReadAll(const Descriptor& fd) {
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(fd.get(), buffer, sizeof(buffer))) > 0;) {
    answer.append(buffer, static_cast<size_t>(got));
  }
  return answer;
}

// What a server says to this request.
std::string Ask(const std::string& address, const std::string& request_line) {
  const Descriptor fd = Connect(address);
  const std::string request = request_line + " HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  return ReadAll(fd);
}

std::string Scrape(const std::string& address) { return Ask(address, "GET /metrics"); }

TEST(MetricsServer, ServesWhatIsCountedAndWhatIsReadAtTheScrape) {
  const auto registry = std::make_shared<Registry>();
  Counter counted(*registry, "test_things_total", "Things");
  Gauge read(*registry, "test_level", "A level");
  Histogram timed(*registry, "test_seconds", "Times", {}, {0.1, 1});
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

TEST(MetricsServer, CountersAndHistogramsStartAtZeroForAllKnownLabels) {
  const auto registry = std::make_shared<Registry>();
  const Label kind{"kind", {"good", "bad"}};
  Counter counted(*registry, "test_things_total", "Things", {kind, {"size", {"big", "small"}}});
  Counter open(*registry, "test_clients_total", "Clients", {kind, {"client", {}}});
  Histogram timed(*registry, "test_seconds", "Times", {kind}, {0.1, 1});
  Gauge level(*registry, "test_level", "A level", {kind});
  const auto server = MetricsServer::Start("0", registry);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string page = Scrape((*server)->address());
  for (const char* line : {"things_total{kind=\"good\",size=\"big\"} 0", "things_total{kind=\"bad\",size=\"small\"} 0",
                           "seconds_count{kind=\"good\"} 0", "seconds_bucket{kind=\"bad\",le=\"+Inf\"} 0"}) {
    EXPECT_TRUE(absl::StrContains(page, line)) << line << "\n" << page;
  }
  EXPECT_FALSE(absl::StrContains(page, "test_clients_total{")) << "its clients are not known beforehand";
  EXPECT_FALSE(absl::StrContains(page, "test_level{")) << "nobody has set it";
}

TEST(MetricsServer, EqualObservationsCountAsSoMany) {
  const auto registry = std::make_shared<Registry>();
  Histogram timed(*registry, "test_seconds", "Times", {}, {0.1, 1});
  timed.Observe(0.1);
  timed.ObserveEqual(0.1, 3);
  timed.ObserveEqual(2, 5);
  const auto server = MetricsServer::Start("0", registry);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string page = Scrape((*server)->address());
  for (const char* line :
       {"seconds_bucket{le=\"0.1\"} 4\n", "seconds_bucket{le=\"1\"} 4\n", "seconds_count 9\n", "seconds_sum 10.4\n"}) {
    EXPECT_TRUE(absl::StrContains(page, line)) << line << "\n" << page;
  }
}

TEST(MetricsServer, FootprintsAreReadAtTheScrape) {
  const auto registry = std::make_shared<Registry>();
  Footprints queues(*registry, "test_queue", "a queue", {"queue", {"long", "short"}});
  size_t items = 1;
  queues.Add([&items] { return FootprintList{{.name = "long", .items = items, .bytes = items * 100}}; });
  queues.Add([] { return FootprintList{{.name = "short", .items = 0, .bytes = 0}}; });
  const auto server = MetricsServer::Start("0", registry);
  ASSERT_TRUE(server.ok()) << server.status();
  items = 7;
  const std::string page = Scrape((*server)->address());
  for (const char* line : {"test_queue_items{queue=\"long\"} 7\n", "test_queue_bytes{queue=\"long\"} 700\n",
                           "test_queue_items{queue=\"short\"} 0\n"}) {
    EXPECT_TRUE(absl::StrContains(page, line)) << line << "\n" << page;
  }
}

TEST(MetricsServer, IdleConnectionsKeepNobodyWaiting) {
  const auto server = MetricsServer::Start("0", std::make_shared<Registry>());
  ASSERT_TRUE(server.ok()) << server.status();
  std::vector<Descriptor> idle;
  for (int i = 0; i < 8; ++i) idle.push_back(Connect((*server)->address()));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(absl::StartsWith(Scrape((*server)->address()), "HTTP/1.1 200"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  // They are closed after a while.
  for (const Descriptor& fd : idle) EXPECT_EQ(ReadAll(fd), "");
}

TEST(MetricsServer, ConnectionsAreBoundedAndMuteOnesMakeRoom) {
  const auto server = MetricsServer::Start("0", std::make_shared<Registry>());
  ASSERT_TRUE(server.ok()) << server.status();
  std::vector<Descriptor> idle;
  for (int i = 0; i < 200; ++i) idle.push_back(Connect((*server)->address()));
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  std::string answer;
  while (answer.empty() && std::chrono::steady_clock::now() < give_up) answer = Scrape((*server)->address());
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200")) << answer;
}

TEST(MetricsServer, AnswersNothingElse) {
  const auto server = MetricsServer::Start("0", std::make_shared<Registry>());
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(absl::StartsWith(Ask((*server)->address(), "GET /"), "HTTP/1.1 404"));
  EXPECT_TRUE(absl::StartsWith(Ask((*server)->address(), "DELETE /metrics"), "HTTP/1.1 405"));
  EXPECT_FALSE(absl::StartsWith(Ask((*server)->address(), "GET /" + std::string(100'000, 'x')), "HTTP/1.1 200"));
  EXPECT_TRUE(absl::StartsWith(Scrape((*server)->address()), "HTTP/1.1 200"));
}

TEST(MetricsServer, ServesIpv6) {
  const auto server = MetricsServer::Start("[::1]:0", std::make_shared<Registry>());
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(absl::StartsWith((*server)->address(), "[::1]:")) << (*server)->address();
  EXPECT_TRUE(absl::StartsWith(Scrape((*server)->address()), "HTTP/1.1 200"));
}

TEST(MetricsServer, ATakenPortAndABadAddressAreNamed) {
  const auto server = MetricsServer::Start("127.0.0.1:0", std::make_shared<Registry>());
  ASSERT_TRUE(server.ok()) << server.status();
  const absl::Status taken = MetricsServer::Start((*server)->address(), std::make_shared<Registry>()).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(taken.message(), (*server)->address() + ": Address already in use")) << taken;
  const absl::Status not_ours = MetricsServer::Start("192.0.2.1:0", std::make_shared<Registry>()).status();
  EXPECT_TRUE(absl::StrContains(not_ours.message(), "192.0.2.1:0: Cannot assign requested address")) << not_ours;
  for (const char* address : {"", ":1", "host:", "host:70000", "::1:5054", "unix:/tmp/x", "1.2.3.4:1,2.3.4.5:2",
                              "1.2.3.4:1s", "http://1.2.3.4:1"}) {
    EXPECT_EQ(MetricsServer::Start(address, std::make_shared<Registry>()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
    EXPECT_NE(AddressError(address), "") << address;
  }
}

TEST(MetricsServer, EndsAtOnceAlsoWithOpenConnections) {
  auto server = MetricsServer::Start("0", std::make_shared<Registry>());
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(absl::StartsWith(Scrape((*server)->address()), "HTTP/1.1 200"));
  const Descriptor idle = Connect((*server)->address());
  const auto began = std::chrono::steady_clock::now();
  server->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4)) << "idle connections end after 5 s";
}

}  // namespace
}  // namespace lean::metrics
