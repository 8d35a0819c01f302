#include "validator_client/keymanager/keymanager_server.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/certificates/certificate_folder.h"
#include "common/rpc/client/channel.h"
#include "common/status/status_macros.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "lean/v1/keymanager.grpc.pb.h"
#include "tests/common/config/temporary_folder.h"
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

TEST_F(KeymanagerTest, AnOperatorsCertificateOpensInPlaceOfATokenAndNothingElseDoes) {
  const std::string ours = dir_.path() + "/our-certificates";
  const std::string theirs = dir_.path() + "/their-certificates";
  for (const std::string& folder : {ours, theirs}) {
    ASSERT_TRUE(MakeCertificateFolder(
                    {.folder = folder,
                     .nodes = {*ParseNode(Role::kValidator, "alice=localhost"), *ParseNode(Role::kOperator, "admin")}},
                    absl::Now())
                    .ok());
  }
  KeymanagerServerOptions options;
  options.address = "127.0.0.1:0";
  options.tls = rpc::ServerTlsFiles::Of(ours + "/alice");
  const auto server = StartKeymanagerServer(Context(), options);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = absl::StrCat("localhost:", (*server)->address().port);
  const grpc::Status known = Ask(address, rpc::ClientTlsFiles::Of(ours + "/admin"), "");
  EXPECT_TRUE(known.ok()) << known.error_message();
  const grpc::Status wrong_role = Ask(address, rpc::ClientTlsFiles::Of(ours + "/alice"), "");
  EXPECT_EQ(wrong_role.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(wrong_role.error_message(), HasSubstr("lean://operator/NAME, and yours has lean://validator/alice"));
  rpc::ClientTlsFiles files{.server_ca = ours + "/admin/ca.pem", .cert = "", .key = ""};
  EXPECT_EQ(Ask(address, files, "").error_code(), grpc::StatusCode::UNAVAILABLE);
  files.cert = theirs + "/admin/cert.pem";
  files.key = theirs + "/admin/key.pem";
  EXPECT_EQ(Ask(address, files, "").error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(KeymanagerTest, AddressesThatOthersReachNeedClientCertificates) {
  KeymanagerServerOptions options;
  for (const char* address : {"127.0.0.1:0", "localhost:1", "[::1]:1", "unix:/tmp/x"}) {
    options.address = address;
    EXPECT_TRUE(CheckKeymanagerAddress(options).ok()) << address;
  }
  options.address = "0.0.0.0:1";
  EXPECT_EQ(CheckKeymanagerAddress(options).code(), absl::StatusCode::kInvalidArgument);
  options.insecure = true;
  EXPECT_EQ(CheckKeymanagerAddress(options).code(), absl::StatusCode::kInvalidArgument) << "the token in plain text";
  options.tls.cert = options.tls.key = "file";
  EXPECT_TRUE(CheckKeymanagerAddress(options).ok());
  options.insecure = false;
  EXPECT_EQ(CheckKeymanagerAddress(options).code(), absl::StatusCode::kInvalidArgument)
      << "a token, but no certificates";
  options.tls.client_ca = "file";
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
