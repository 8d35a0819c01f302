#include "validator_client/keymanager/keymanager_server.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/rpc/client/channel.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "lean/v1/keymanager.grpc.pb.h"
#include "tests/common/config/temporary_folder.h"
#include "tests/common/rpc/certificates.h"
#include "tests/validator_client/keymanager/keymanager_fixture.h"
#include "validator_client/keymanager/access_token.h"

namespace lean::validator {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

grpc::Status Ask(const std::string& address, const rpc::ClientTlsFiles& tls, const std::string& header) {
  rpc::ChannelOptions options;
  options.tls = tls;
  ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(address, options),
                   grpc::Status(grpc::StatusCode::INTERNAL, std::string(_.message())));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (!header.empty()) context.AddMetadata("authorization", header);
  v1::ListKeystoresResponse response;
  return v1::KeymanagerService::NewStub(channel)->ListKeystores(&context, {}, &response);
}

TEST_F(KeymanagerTest, TheTokenOpens) {
  KeymanagerServerOptions options;
  options.address = "127.0.0.1:0";
  options.token_file = dir_.path() + "/token";
  const auto server = StartKeymanagerServer(Context(), options);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address().ToString();
  const auto token = ReadAccessToken(options.token_file);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(Ask(address, {}, "").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Ask(address, {}, "Bearer " + std::string(64, 'a')).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Ask(address, {}, "Bearer " + *token).ok());
  EXPECT_THAT(log_.text(), Not(HasSubstr(*token)));
}

TEST_F(KeymanagerTest, ACertificateOpensInPlaceOfATokenAndNothingElseDoes) {
  const rpc::CertificateFiles authority = rpc::MakeCertificate(dir_.path(), "authority");
  const rpc::CertificateFiles server_files = rpc::MakeCertificate(dir_.path(), "server", authority);
  const rpc::CertificateFiles client_files = rpc::MakeCertificate(dir_.path(), "client", authority);
  const rpc::CertificateFiles foreign_files = rpc::MakeCertificate(dir_.path(), "foreign");
  KeymanagerServerOptions options;
  options.address = "127.0.0.1:0";
  options.tls = {.cert = server_files.cert, .key = server_files.key, .client_ca = authority.cert};
  const auto server = StartKeymanagerServer(Context(), options);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = absl::StrCat("localhost:", (*server)->address().port);
  const auto with = [&authority](const std::string& cert, const std::string& key) {
    return rpc::ClientTlsFiles{.server_ca = authority.cert, .cert = cert, .key = key};
  };
  const grpc::Status known = Ask(address, with(client_files.cert, client_files.key), "");
  EXPECT_TRUE(known.ok()) << known.error_message();
  EXPECT_FALSE(Ask(address, with("", ""), "").ok());
  EXPECT_FALSE(Ask(address, with(foreign_files.cert, foreign_files.key), "").ok());
}

TEST_F(KeymanagerTest, AddressesThatOthersReachNeedTls) {
  KeymanagerServerOptions options;
  for (const char* address : {"127.0.0.1:0", "localhost:1", "[::1]:1", "unix:/tmp/x"}) {
    options.address = address;
    EXPECT_TRUE(CheckKeymanagerAddress(options).ok()) << address;
  }
  options.address = "0.0.0.0:1";
  EXPECT_EQ(CheckKeymanagerAddress(options).code(), absl::StatusCode::kInvalidArgument);
  options.tls.cert = options.tls.key = "file";
  EXPECT_TRUE(CheckKeymanagerAddress(options).ok());
}

TEST(AccessToken, IsMadeOnceAndKeptPrivate) {
  const TemporaryFolder dir;
  const std::string path = dir.path() + "/token";
  SystemRandomSource random;
  const auto made = AccessToken::ReadOrMake(path, random);
  ASSERT_TRUE(made.ok()) << made.status();
  const std::string token = *ReadAccessToken(path);
  EXPECT_EQ(token.size(), 64);
  const auto again = AccessToken::ReadOrMake(path, random);
  ASSERT_TRUE(again.ok());
  for (const AccessToken* each : {&*made, &*again}) {
    EXPECT_TRUE(each->Matches(token));
    EXPECT_FALSE(each->Matches(token.substr(1)));
    EXPECT_FALSE(each->Matches(token + "0"));
    EXPECT_FALSE(each->Matches(""));
  }
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(AccessToken::ReadOrMake(path, random).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(AccessToken, WeakOnesAreRefused) {
  const TemporaryFolder dir;
  SystemRandomSource random;
  int n = 0;
  for (const char* text : {"", "short", "0123456789abcdef0123456789abcde\n", "0123456789abcdef 0123456789abcdef x"}) {
    const std::string path = absl::StrCat(dir.path(), "/token", n++);
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    EXPECT_EQ(AccessToken::ReadOrMake(path, random).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace lean::validator
