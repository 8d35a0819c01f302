#include "common/rpc/connections/listener_watch.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "common/clock/clock.h"
#include "common/clock/manual_clock.h"
#include "common/rpc/connections/connection_gate.h"
#include "common/rpc/server/server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/common/process/captured_log.h"
#include "tests/common/rpc/certificates.h"
#include "tests/common/rpc/server/test_service.h"

namespace lean::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::chrono::milliseconds kShort{300};

TEST(ProbeListenerTest, AServerAnswersInPlainTextAndWithTls) {
  const std::string dir = ::testing::TempDir();
  const CertificateFiles cert = MakeCertificate(dir, "probed");
  for (const ServerTlsFiles& tls :
       {ServerTlsFiles(), ServerTlsFiles{.cert = cert.cert, .key = cert.key, .client_ca = ""},
        ServerTlsFiles{.cert = cert.cert, .key = cert.key, .client_ca = cert.cert}}) {
    for (const char* address : {"127.0.0.1:0", "0.0.0.0:0", "[::]:0"}) {
      const auto server = Server::Start({.address = address, .tls = tls, .insecure = true, .log = SilentLog()}, {});
      ASSERT_TRUE(server.ok()) << server.status();
      EXPECT_EQ(ProbeListener((*server)->address(), RealClock(), kPatience), absl::OkStatus()) << address;
    }
  }
}

TEST(ProbeListenerTest, AServerThatTurnsConnectionsAwayIsThere) {
  const auto server =
      Server::Start({.address = "127.0.0.1:0", .tls = {}, .log = SilentLog(), .gate = {.max_descriptors = 1}}, {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(ProbeListener((*server)->address(), RealClock(), kPatience), absl::OkStatus());
}

// As after the end of an accepting thread: the kernel still takes connections, and nobody looks at them.
TEST(ProbeListenerTest, SilenceIsNoticedThoughTheKernelTakesTheConnection) {
  const auto gate = ConnectionGate::Open({"127.0.0.1", 0}, {});
  ASSERT_TRUE(gate.ok()) << gate.status();
  EXPECT_EQ(ProbeListener((*gate)->address(), RealClock(), kShort).code(), absl::StatusCode::kDeadlineExceeded);
  const Address address = (*gate)->address();
  (*gate)->Stop();
  EXPECT_THAT(ProbeListener(address, RealClock(), kPatience).message(), HasSubstr("connect: Connection refused"));
}

TEST(ListenerWatchTest, TellsWhenAListenerFallsSilentAndWhenItIsBack) {
  ManualClock clock(0);
  CapturedLog log;
  ListenerWatch watch(clock, log.logger());
  auto gate = ConnectionGate::Open({"127.0.0.1", 0}, {});
  ASSERT_TRUE(gate.ok()) << gate.status();
  const Address address = (*gate)->address();
  watch.Add("rpc", address);
  (*gate)->Stop();

  const auto await = [&](bool answers) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (watch.states()[0].answers != answers && std::chrono::steady_clock::now() < give_up) {
      clock.AwaitWaiters(1);
      clock.Advance(ListenerWatch::kPeriod);
    }
    EXPECT_EQ(watch.states()[0].answers, answers);
  };
  await(false);
  // Another process may have taken the port meanwhile, for a connection that soon ends.
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  do {
    gate = ConnectionGate::Open(address, {});
  } while (!gate.ok() && std::chrono::steady_clock::now() < give_up);
  ASSERT_TRUE(gate.ok()) << gate.status();
  (*gate)->Start([](Descriptor, int) {});  // closes it
  await(true);
  (*gate)->Stop();
  EXPECT_THAT(log.Matching("listener_silent"),
              ElementsAre(HasSubstr("error listener_silent name=rpc address=127.0.0.1:")));
  EXPECT_THAT(log.Matching("listener_answers_again"), SizeIs(1));
}

}  // namespace
}  // namespace lean::rpc
