// Servers and clients with certificates of certificate folders: who is let in, who may do what, and what the others are
// told.
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/certificates/certificate_folder.h"
#include "common/clock/manual_clock.h"
#include "common/rpc/client/channel.h"
#include "common/rpc/client/connection_check.h"
#include "common/rpc/security_watch.h"
#include "common/rpc/server/raw_service.h"
#include "common/rpc/server/server.h"
#include "common/rpc/wire/status.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lean/v1/beacon.grpc.pb.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/patience.h"
#include "tests/common/process/captured_log.h"
#include "tests/common/rpc/server/test_service.h"

namespace lean::rpc {
namespace {

using ::testing::HasSubstr;

struct Answers {
  absl::StatusOr<v1::GetHeadResponse> GetHead(const v1::GetHeadRequest&) const { return v1::GetHeadResponse(); }
};

// A stream that ends at once, without a message.
class EmptyStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  EmptyStream() { Finish(grpc::Status::OK); }
  void OnDone() override { delete this; }
};

class HeadService final : public RawService<v1::BeaconService> {
 public:
  HeadService(Dispatcher& dispatcher, Role needed) : RawService(dispatcher, needed) {
    Handle(answers_, &Answers::GetHead);
    HandleStream<v1::StreamEventsRequest>(
        [](grpc::CallbackServerContext*, const grpc::ByteBuffer*) { return new EmptyStream(); });
  }

 private:
  const Answers answers_{};
};

class MutualTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    MakeFolder(Path("ours"), absl::Now());
    MakeFolder(Path("theirs"), absl::Now());
    MakeFolder(Path("old"), absl::Now() - absl::Hours(10 * 24));
  }

  std::string Path(const std::string& name) const { return absl::StrCat(dir_.path(), "/", name); }

  static void MakeFolder(const std::string& folder, absl::Time now) {
    const CertificateRequest request{
        .folder = folder,
        .nodes = {*ParseNode(Role::kBeacon, "one"), *ParseNode(Role::kBeacon, "elsewhere=10.0.0.1"),
                  *ParseNode(Role::kValidator, "alice"), *ParseNode(Role::kOperator, "admin"),
                  *ParseNode(Role::kReader, "eve")},
        .days = 5};
    ASSERT_TRUE(MakeCertificateFolder(request, now).ok());
  }

  absl::StatusOr<std::unique_ptr<PooledServer>> Start(const ServerTlsFiles& tls, Role needed = Role::kValidator) {
    return PooledServer::Start(
        {.threads = 1}, {.address = "127.0.0.1:0", .tls = tls, .log = log_}, v1::BeaconService::service_full_name(),
        [needed](Dispatcher& dispatcher) { return std::make_unique<HeadService>(dispatcher, needed); });
  }

  static absl::Status Call(grpc::Channel& channel, std::chrono::milliseconds timeout = kPatience) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    v1::GetHeadResponse response;
    return FromGrpcStatus(v1::BeaconService::NewStub(std::shared_ptr<grpc::Channel>(&channel, [](grpc::Channel*) {
                          }))->GetHead(&context, v1::GetHeadRequest(), &response));
  }

  // The end of a stream for a client with this certificate.
  static absl::Status Stream(const PooledServer& server, const ClientTlsFiles& files) {
    ASSIGN_OR_RETURN(const auto channel,
                     MakeChannel(absl::StrCat("127.0.0.1:", server.address().port), {.tls = files}));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    return FromGrpcStatus(
        v1::BeaconService::NewStub(channel)->StreamEvents(&context, v1::StreamEventsRequest())->Finish());
  }

  // The error of a call, with its explanation.
  static absl::Status CallAndExplain(const PooledServer& server, const ClientTlsFiles& files,
                                     const std::string& host = "127.0.0.1") {
    const std::string address = absl::StrCat(host, ":", server.address().port);
    ASSIGN_OR_RETURN(const auto channel, MakeChannel(address, {.tls = files}));
    return WithExplanation(Call(*channel), address, files);
  }

  ClientTlsFiles Client(const std::string& folder, const std::string& name) const {
    return ClientTlsFiles::Of(Path(folder + "/" + name));
  }
  ServerTlsFiles Server(const std::string& folder, const std::string& name) const {
    return ServerTlsFiles::Of(Path(folder + "/" + name));
  }

  void ExpectRefused(const ServerTlsFiles& server, const ClientTlsFiles& client, const std::string& words,
                     const std::string& host = "127.0.0.1") {
    const auto started = Start(server);
    ASSERT_TRUE(started.ok()) << started.status();
    const absl::Status status = CallAndExplain(**started, client, host);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }

  const TemporaryFolder dir_;
  CapturedLog captured_;
  const std::shared_ptr<spdlog::logger> log_ = captured_.logger();
};

TEST_F(MutualTlsTest, ARoleOpensWhatItIsNeededFor) {
  const auto server = Start(Server("ours", "one"));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(CallAndExplain(**server, Client("ours", "alice")), absl::OkStatus());
  EXPECT_EQ(CallAndExplain(**server, Client("ours", "alice"), "localhost"), absl::OkStatus());
  EXPECT_EQ(Stream(**server, Client("ours", "alice")), absl::OkStatus());
  for (const char* name : {"admin", "eve", "one"}) {
    const ClientTlsFiles client = Client("ours", name);
    for (const absl::Status& status : {CallAndExplain(**server, client), Stream(**server, client)}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << name;
      EXPECT_EQ(ReasonOf(status), "WRONG_ROLE");
      EXPECT_THAT(std::string(status.message()), HasSubstr("needs a certificate with the role lean://validator/NAME"));
      EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("/", name, ":")));
    }
  }
}

TEST_F(MutualTlsTest, QueriesNeedNoRole) {
  const auto server = Start(Server("ours", "one"), Role::kReader);
  ASSERT_TRUE(server.ok()) << server.status();
  for (const char* name : {"alice", "admin", "eve", "one"}) {
    EXPECT_EQ(CallAndExplain(**server, Client("ours", name)), absl::OkStatus()) << name;
    EXPECT_EQ(Stream(**server, Client("ours", name)), absl::OkStatus()) << name;
  }
}

TEST_F(MutualTlsTest, WithoutClientCertificatesEverybodyMayDoEverything) {
  ServerTlsFiles tls = Server("ours", "one");
  tls.client_ca.clear();
  const auto server = Start(tls);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(CallAndExplain(**server, {.server_ca = Path("ours/one/ca.pem"), .cert = "", .key = ""}), absl::OkStatus());
}

TEST_F(MutualTlsTest, AClientWithoutCertificateIsTold) {
  ClientTlsFiles files = Client("ours", "alice");
  files.cert.clear();
  files.key.clear();
  ExpectRefused(Server("ours", "one"), files, "the server wants a certificate of this client");
}

TEST_F(MutualTlsTest, AClientOfAnotherAuthorityIsTold) {
  ClientTlsFiles files = Client("theirs", "alice");
  files.server_ca = Client("ours", "alice").server_ca;
  ExpectRefused(Server("ours", "one"), files, "it is not of the authority that the server expects");
}

TEST_F(MutualTlsTest, AServerOfAnotherAuthorityIsNamed) {
  ExpectRefused(Server("theirs", "one"), Client("ours", "alice"), "the server's certificate is of the authority");
}

TEST_F(MutualTlsTest, EndedCertificatesAreNamed) {
  ServerTlsFiles server = Server("old", "one");
  ExpectRefused(server, Client("old", "alice"), "our certificate");
  ClientTlsFiles client = Client("ours", "alice");
  client.server_ca = Client("old", "alice").server_ca;
  ExpectRefused(server, client, "the server's certificate ended on");
  server = Server("ours", "one");
  server.client_ca = Server("old", "one").client_ca;
  client = Client("old", "alice");
  client.server_ca = Client("ours", "alice").server_ca;
  ExpectRefused(server, client, "renew it (lean-beacon certs renew)");
}

TEST_F(MutualTlsTest, AServerForAnotherHostIsNamed) {
  std::filesystem::remove_all(Path("ours"));
  NodeNames node = *ParseNode(Role::kBeacon, "one=10.0.0.1,b.example.org");
  node.hosts.resize(2);  // without localhost
  ASSERT_TRUE(MakeCertificateFolder({.folder = Path("ours"), .nodes = {node, *ParseNode(Role::kValidator, "alice")}},
                                    absl::Now())
                  .ok());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    ExpectRefused(Server("ours", "one"), Client("ours", "alice"),
                  absl::StrCat("the server's certificate is for 10.0.0.1, b.example.org, not for ", host), host);
  }
}

TEST_F(MutualTlsTest, ACertificateOfAClientMakesNoServer) {
  ServerTlsFiles server = Server("ours", "alice");
  ExpectRefused(server, Client("ours", "alice"), "the server shows the certificate of a client");
}

TEST_F(MutualTlsTest, PlainTextAgainstTlsIsTold) {
  ExpectRefused(Server("ours", "one"), {}, "the server speaks TLS");
  ExpectRefused({}, Client("ours", "alice"), "the server does not speak TLS");
}

TEST_F(MutualTlsTest, NothingIsExplainedWhereNobodyListens) {
  EXPECT_EQ(ExplainConnection("127.0.0.1:1", Client("ours", "alice"), kPatience), "");
  EXPECT_EQ(ExplainConnection("unix:/nowhere", {}, kPatience), "");
}

TEST_F(MutualTlsTest, OtherMachinesNeedCertificatesOrTheOptionThatSaysOtherwise) {
  ServerOptions options{.address = "0.0.0.0:0", .tls = {}, .log = log_};
  const auto open = rpc::Server::Start(options, {});
  EXPECT_EQ(open.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(open.status().message()), HasSubstr("lean-beacon certs new"));
  EXPECT_THAT(std::string(open.status().message()), HasSubstr("--insecure-rpc"));
  options.tls = Server("ours", "one");
  const auto mutual = rpc::Server::Start(options, {});
  ASSERT_TRUE(mutual.ok()) << mutual.status();
  EXPECT_FALSE((*mutual)->open());
  options.tls.client_ca.clear();
  EXPECT_FALSE(rpc::Server::Start(options, {}).ok()) << "TLS alone lets everybody speak HTTP/2 with gRPC";
  options.insecure = true;
  const auto insecure = rpc::Server::Start(options, {});
  ASSERT_TRUE(insecure.ok()) << insecure.status();
  EXPECT_TRUE((*insecure)->open());
}

// Copies a node's files as a person would: one after the other, each whole.
void Install(const std::string& from, const std::string& to) {
  for (const char* file : {"ca.pem", "key.pem", "cert.pem"}) {
    const std::string place = absl::StrCat(to, "/", file);
    std::filesystem::copy_file(absl::StrCat(from, "/", file), place + ".new");
    std::filesystem::permissions(place + ".new", std::filesystem::perms::owner_read);
    std::filesystem::rename(place + ".new", place);
  }
}

template <typename Condition>
void Await(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_TRUE(condition());
}

TEST_F(MutualTlsTest, ChangedFilesAreTakenWithoutARestart) {
  std::filesystem::copy(Path("ours"), Path("live"), std::filesystem::copy_options::recursive);
  const auto server = Start(Server("live", "one"));
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = absl::StrCat("127.0.0.1:", (*server)->address().port);
  const auto files = OpenTlsFiles("beacons", Client("live", "alice"), log_);
  ASSERT_TRUE(files.ok()) << files.status();
  const auto channels = MakeChannelSource(address, *files);
  ASSERT_TRUE(channels.ok()) << channels.status();
  ASSERT_EQ(Call(*(*channels)()), absl::OkStatus());

  // Another authority: what was let in before is not any more.
  Install(Path("theirs/one"), Path("live/one"));
  Await([&] { return CallAndExplain(**server, Client("theirs", "alice")).ok(); });
  EXPECT_FALSE(CallAndExplain(**server, Client("ours", "alice")).ok());
  const auto before = (*channels)();
  Install(Path("theirs/alice"), Path("live/alice"));
  Await([&] {
    const auto channel = (*channels)();
    return channel != before && Call(*channel).ok();
  });

  // What does not fit together is not taken.
  std::filesystem::copy_file(Path("ours/one/cert.pem"), Path("live/one/cert.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  Await([&] {
    (*server)->server().tls_files()->Get();
    return captured_.Count("tls_files_not_taken tls=rpc") == 1;
  });
  EXPECT_THAT(captured_.text(), HasSubstr("is not the key of"));
  EXPECT_EQ(CallAndExplain(**server, Client("theirs", "alice")), absl::OkStatus());
}

TEST_F(MutualTlsTest, TheEndOfACertificateIsToldBefore) {
  const int64_t now_ms = absl::ToUnixMillis(absl::Now());
  ManualClock clock(now_ms - int64_t{20} * 24 * 3600 * 1000);
  SecurityWatch watch(clock, log_);
  const auto files = OpenTlsFiles("rpc", Server("ours", "one"), log_);
  ASSERT_TRUE(files.ok()) << files.status();
  watch.Add(*files);
  ASSERT_EQ(watch.certificates().size(), 1);
  EXPECT_EQ(watch.certificates()[0].name, "rpc");
  EXPECT_EQ(watch.certificates()[0].end, (*files)->Get()->end);
  EXPECT_EQ(captured_.Count("certificate_"), 0);  // 25 days are left
  clock.AwaitWaiters(1);
  clock.Advance(std::chrono::milliseconds(int64_t{12} * 24 * 3600 * 1000));
  Await([&] { return captured_.Count("certificate_ends_soon tls=rpc") == 1; });
  EXPECT_THAT(captured_.text(), HasSubstr("days_left=12"));
  clock.AwaitWaiters(1);
  clock.Advance(std::chrono::milliseconds(int64_t{61} * 60 * 1000));
  Await([&] { return captured_.Count("certificate_ends_soon tls=rpc") == 2; });
  clock.AwaitWaiters(1);
  clock.Advance(std::chrono::milliseconds(int64_t{14} * 24 * 3600 * 1000));
  Await([&] { return captured_.Count("certificate_ended tls=rpc") == 1; });
}

TEST_F(MutualTlsTest, AnOpenServerIsToldAgainAndAgain) {
  ManualClock clock(0);
  SecurityWatch watch(clock, log_);
  const auto server = rpc::Server::Start({.address = "0.0.0.0:0", .tls = {}, .insecure = true, .log = log_}, {});
  ASSERT_TRUE(server.ok()) << server.status();
  watch.Add(**server);
  EXPECT_THAT(captured_.text(), HasSubstr("rpc_open name=rpc"));
  captured_.Clear();
  clock.AwaitWaiters(1);
  clock.Advance(std::chrono::milliseconds(int64_t{61} * 60 * 1000));
  Await([&] { return captured_.Count("rpc_open") == 1; });
}

}  // namespace
}  // namespace lean::rpc
