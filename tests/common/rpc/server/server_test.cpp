#include "common/rpc/server/server.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "common/rpc/client/channel.h"
#include "common/rpc/server/health_service.h"
#include "common/rpc/wire/message_limits.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/common/rpc/certificates.h"
#include "tests/common/rpc/server/test_service.h"

namespace lean::rpc {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;

std::unique_ptr<grpc::ClientContext> Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + kPatience);
  context->set_wait_for_ready(true);
  return context;
}

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + "/lean_server_test." + std::to_string(getpid()) + "." +
           ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  absl::StatusOr<std::unique_ptr<Server>> Start(ServerTlsFiles tls = {}, std::string address = "127.0.0.1:0",
                                                UnfinishedLimits unfinished = {}) {
    return Server::Start({.address = std::move(address),
                          .tls = std::move(tls),
                          .insecure = true,
                          .log = log_,
                          .gate = {.requests = requests_, .unfinished = unfinished}},
                         {{&service_, v1::BeaconService::service_full_name()}});
  }

  // GetValidators with a request and an answer of these sizes or more.
  absl::Status Call(const std::string& address, size_t request_bytes, size_t response_bytes,
                    const ChannelOptions& options = {}) {
    ASSIGN_OR_RETURN(auto channel, MakeChannel(address, options));
    v1::GetValidatorsRequest request;
    request.set_limit(response_bytes);
    // A client of another version may send what we do not know.
    request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(100)->assign(request_bytes, 'x');
    v1::GetValidatorsResponse response;
    return FromGrpcStatus(v1::BeaconService::NewStub(channel)->GetValidators(Context().get(), request, &response));
  }

  std::string dir_;
  std::shared_ptr<spdlog::logger> log_ = SilentLog();
  TestPool pool_{8};
  std::shared_ptr<RequestBytes> requests_ = std::make_shared<RequestBytes>();
  TestService service_{pool_.Scheduler(),
                       [](const v1::GetValidatorsRequest& request, auto reply) {
                         v1::GetValidatorsResponse response;
                         response.add_validators()->set_pubkey(std::string(request.limit(), 'x'));
                         reply(std::move(response));
                       },
                       {},
                       requests_};
};

// Requests that are whole are not held against a connection, however many they are and however it is named.
TEST_F(ServerTest, WholeRequestsAreCounted) {
  constexpr size_t kRequest = 300'000;
  const CertificateFiles cert = MakeCertificate(dir_, "server");
  for (const ServerTlsFiles& tls : {ServerTlsFiles(), ServerTlsFiles{cert.cert, cert.key, ""}}) {
    for (const std::string address : {"127.0.0.1:0", "[::1]:0", "0.0.0.0:0"}) {
      if (address == "[::1]:0" && !tls.cert.empty()) continue;  // which the certificate does not name
      const auto server = Start(tls, address, {.connection_bytes = 2 * kRequest, .bytes = 2 * kRequest});
      ASSERT_TRUE(server.ok()) << server.status();
      Address to = (*server)->address();
      if (address == "0.0.0.0:0") to.host = "127.0.0.1";
      ChannelOptions options;
      if (!tls.cert.empty()) options.tls.server_ca = cert.cert;
      const auto channel = MakeChannel(to.ToString(), options);
      ASSERT_TRUE(channel.ok()) << channel.status();
      const auto stub = v1::BeaconService::NewStub(*channel);
      v1::GetValidatorsRequest request;
      request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(100)->assign(kRequest, 'x');
      const auto end = std::chrono::steady_clock::now() + 3 * OpenConnections::kUnfinishedPause;
      int calls = 0;
      while (calls < 5 || std::chrono::steady_clock::now() < end) {
        v1::GetValidatorsResponse response;
        ASSERT_EQ(FromGrpcStatus(stub->GetValidators(Context().get(), request, &response)), absl::OkStatus())
            << to.ToString() << " " << calls;
        ++calls;
      }
    }
  }
}

TEST_F(ServerTest, ServesOnThePortTheSystemChose) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_NE((*server)->address().port, 0);
  EXPECT_EQ((*server)->tls_files(), nullptr);
  EXPECT_TRUE(Call((*server)->address().ToString(), 0, 0).ok());
  const Caller caller = pool_.last_caller();
  EXPECT_EQ(caller.host, "ipv4:127.0.0.1");
  EXPECT_EQ(caller.identity(), caller.connection);
  EXPECT_THAT(caller.connection, ::testing::StartsWith("ipv4:127.0.0.1:"));
}

TEST_F(ServerTest, APortInUseIsNamed) {
  auto first = Start();
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string address = (*first)->address().ToString();
  auto second = Start({}, address);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr("cannot listen on " + address + ": Address already in use"));
}

TEST_F(ServerTest, MessagesUpTo16MiBPassBothWays) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address().ToString();
  constexpr size_t kNearly = kMaxMessageBytes - 64;
  EXPECT_EQ(Call(address, kNearly, kNearly), absl::OkStatus());
}

TEST_F(ServerTest, LargerMessagesAreRefusedAndTheServerGoesOn) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address().ToString();

  // A client of ours refuses to send it, another one does not.
  EXPECT_EQ(Call(address, kMaxMessageBytes, 0).code(), absl::StatusCode::kResourceExhausted);
  auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  v1::GetValidatorsRequest request;
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(100)->assign(kMaxMessageBytes, 'x');
  v1::GetValidatorsResponse response;
  EXPECT_EQ(v1::BeaconService::NewStub(channel)->GetValidators(Context().get(), request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);

  const absl::Status too_large = Call(address, 0, kMaxMessageBytes);
  EXPECT_EQ(too_large.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(too_large), "RESPONSE_TOO_LARGE");

  EXPECT_TRUE(Call(address, 0, 0).ok());
}

TEST_F(ServerTest, CompressedMessagesAreRefusedAndNotUnpacked) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address().ToString();
  auto stub = v1::BeaconService::NewStub(*MakeChannel(address));
  v1::GetValidatorsRequest request;
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(100)->assign(1 << 20, 'x');
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    auto context = Context();
    context->set_compression_algorithm(algorithm);
    v1::GetValidatorsResponse response;
    EXPECT_EQ(stub->GetValidators(context.get(), request, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
  EXPECT_TRUE(Call(address, 0, 0).ok());
}

TEST_F(ServerTest, HealthIsCheckedByName) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto stub = Health::NewStub(*MakeChannel((*server)->address().ToString()));
  for (const std::string name : {"", "lean.v1.BeaconService"}) {
    HealthCheckRequest request;
    request.set_service(name);
    HealthCheckResponse response;
    EXPECT_TRUE(stub->Check(Context().get(), request, &response).ok()) << name;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING) << name;
  }
  HealthCheckRequest request;
  request.set_service("lean.v1.NoSuchService");
  HealthCheckResponse response;
  const absl::Status status = FromGrpcStatus(stub->Check(Context().get(), request, &response));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "UNKNOWN_SERVICE");
}

TEST_F(ServerTest, HealthChecksAreCountedAsWholeRequests) {
  constexpr size_t kRequest = 300'000;
  const auto server = Start({}, "127.0.0.1:0", {.connection_bytes = 2 * kRequest, .bytes = 2 * kRequest});
  ASSERT_TRUE(server.ok()) << server.status();
  auto stub = Health::NewStub(*MakeChannel((*server)->address().ToString()));
  HealthCheckRequest request;
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(100)->assign(kRequest, 'x');
  const auto end = std::chrono::steady_clock::now() + 3 * OpenConnections::kUnfinishedPause;
  int checks = 0;
  while (checks < 5 || std::chrono::steady_clock::now() < end) {
    HealthCheckResponse response;
    ASSERT_EQ(FromGrpcStatus(stub->Check(Context().get(), request, &response)), absl::OkStatus()) << checks;
    ++checks;
  }
}

TEST_F(ServerTest, HealthOfOneServiceIsItsOwn) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto stub = Health::NewStub(*MakeChannel((*server)->address().ToString()));
  HealthCheckRequest request;
  request.set_service("lean.v1.BeaconService");
  const auto status_of = [&](const HealthCheckRequest& of) {
    HealthCheckResponse response;
    EXPECT_TRUE(stub->Check(Context().get(), of, &response).ok());
    return response.status();
  };
  auto context = Context();
  auto reader = stub->Watch(context.get(), request);
  HealthCheckResponse response;
  ASSERT_TRUE(reader->Read(&response));
  (*server)->SetServing("lean.v1.BeaconService", false);
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(status_of(request), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(status_of(HealthCheckRequest()), HealthCheckResponse::SERVING);
  // Both must say so.
  (*server)->SetServing(false);
  (*server)->SetServing("lean.v1.BeaconService", true);
  EXPECT_EQ(status_of(request), HealthCheckResponse::NOT_SERVING);
  (*server)->SetServing(true);
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  context->TryCancel();
}

TEST_F(ServerTest, WatchersOfHealthSeeTheServerStop) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto stub = Health::NewStub(*MakeChannel((*server)->address().ToString()));
  auto context = Context();
  auto reader = stub->Watch(context.get(), HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);

  std::thread stopper([&] { (*server)->Shutdown(kPatience); });
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopper.join();
}

TEST_F(ServerTest, AWatcherThatLeavesMakesRoom) {
  auto server = Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto stub = Health::NewStub(*MakeChannel((*server)->address().ToString()));
  HealthCheckRequest unknown;
  unknown.set_service("lean.v1.NoSuchService");
  // One stream at a time, many more than may watch at once. The server hears a moment later that a watcher has left.
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (size_t watched = 0; watched < 3 * HealthService::kMaxWatchers;) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << watched;
    auto context = Context();
    auto reader = stub->Watch(context.get(), unknown);
    HealthCheckResponse response;
    if (!reader->Read(&response)) {
      EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << watched;
      continue;
    }
    ++watched;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
    context->TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

TEST_F(ServerTest, TlsNeedsTheServersAuthority) {
  const CertificateFiles cert = MakeCertificate(dir_, "server");
  const CertificateFiles other = MakeCertificate(dir_, "other");
  auto server = Start({.cert = cert.cert, .key = cert.key, .client_ca = ""});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_NE((*server)->tls_files(), nullptr);
  const std::string address = (*server)->address().ToString();

  ChannelOptions trusted;
  trusted.tls.server_ca = cert.cert;
  EXPECT_EQ(Call(address, 0, 0, trusted), absl::OkStatus());

  for (const std::string& authority : {std::string(), other.cert}) {
    ChannelOptions options;
    options.tls.server_ca = authority;
    grpc::ClientContext context;
    v1::GetValidatorsResponse response;
    EXPECT_EQ(v1::BeaconService::NewStub(*MakeChannel(address, options))
                  ->GetValidators(&context, v1::GetValidatorsRequest(), &response)
                  .error_code(),
              grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_F(ServerTest, MutualTlsNeedsAClientOfTheAuthority) {
  const CertificateFiles cert = MakeCertificate(dir_, "server");
  const CertificateFiles authority = MakeCertificate(dir_, "clients");
  const CertificateFiles client = MakeCertificate(dir_, "client", authority);
  auto server = Start({.cert = cert.cert, .key = cert.key, .client_ca = authority.cert});
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address().ToString();

  ChannelOptions known;
  known.tls = {.server_ca = cert.cert, .cert = client.cert, .key = client.key};
  EXPECT_EQ(Call(address, 0, 0, known), absl::OkStatus());
  // Two connections of one certificate are one caller.
  const Caller first = pool_.last_caller();
  EXPECT_TRUE(first.HasCertificate()) << first.host;
  EXPECT_EQ(Call(address, 0, 0, known), absl::OkStatus());
  EXPECT_EQ(pool_.last_caller().identity(), first.identity());
  EXPECT_NE(pool_.last_caller().connection, first.connection);

  ChannelOptions unknown;
  unknown.tls.server_ca = cert.cert;
  grpc::ClientContext context;
  v1::GetValidatorsResponse response;
  EXPECT_EQ(v1::BeaconService::NewStub(*MakeChannel(address, unknown))
                ->GetValidators(&context, v1::GetValidatorsRequest(), &response)
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTest, TlsFilesThatDoNotFitAreNamed) {
  const CertificateFiles cert = MakeCertificate(dir_, "server");
  const CertificateFiles other = MakeCertificate(dir_, "other");
  std::ofstream(dir_ + "/junk.pem") << "junk";

  EXPECT_THAT(Start({cert.cert, "", ""}).status().message(), HasSubstr("needs both"));
  EXPECT_THAT(Start({"", "", cert.cert}).status().message(), HasSubstr("needs both"));
  EXPECT_THAT(Start({dir_ + "/absent.pem", cert.key, ""}).status().message(),
              HasSubstr("absent.pem: No such file or directory"));
  EXPECT_THAT(Start({dir_ + "/junk.pem", cert.key, ""}).status().message(),
              HasSubstr("junk.pem: holds no certificate"));
  EXPECT_THAT(Start({cert.cert, cert.cert, ""}).status().message(), HasSubstr("server.cert.pem: "));
  EXPECT_THAT(Start({cert.cert, other.key, ""}).status().message(), HasSubstr("other.key.pem: is not the key of"));
  EXPECT_THAT(Start({cert.cert, cert.key, dir_ + "/junk.pem"}).status().message(), HasSubstr("junk.pem: "));
  std::filesystem::permissions(cert.key, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  EXPECT_THAT(Start({cert.cert, cert.key, ""}).status().message(), HasSubstr("chmod 600"));
}

TEST_F(ServerTest, TlsFilesAreNoPipes) {
  const CertificateFiles cert = MakeCertificate(dir_, "server");
  const std::string fifo = dir_ + "/fifo.pem";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  // Nobody writes to it: whoever opened it to wait for that would wait for ever.
  EXPECT_THAT(Start({fifo, cert.key, ""}).status().message(), HasSubstr("fifo.pem is not a regular file"));
  EXPECT_THAT(Start({cert.cert, fifo, ""}).status().message(), HasSubstr("fifo.pem is not a regular file"));
  EXPECT_THAT(Start({cert.cert, cert.key, fifo}).status().message(), HasSubstr("fifo.pem is not a regular file"));
}

TEST_F(ServerTest, AChannelNeedsAnAddressAndFilesThatFit) {
  EXPECT_THAT(MakeChannel("nowhere").status().message(), HasSubstr("no port"));
  EXPECT_THAT(MakeChannel("127.0.0.1:0").status().message(), HasSubstr("a port above 0"));
  ChannelOptions options;
  options.tls.cert = "client.pem";
  EXPECT_THAT(MakeChannel("127.0.0.1:1", options).status().message(), HasSubstr("needs the authority"));
}

}  // namespace
}  // namespace lean::rpc
