#include "common/rpc/connections/address.h"

#include <cerrno>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lean::rpc {
namespace {

using ::testing::HasSubstr;

TEST(AddressTest, ReadsHostAndPort) {
  const auto address = ParseAddress("127.0.0.1:5052");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 5052);
  EXPECT_EQ(address->ToString(), "127.0.0.1:5052");
}

TEST(AddressTest, ReadsIpv6InBrackets) {
  const auto address = ParseAddress("[::1]:65535");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->ToString(), "[::1]:65535");
}

TEST(AddressTest, KnowsLoopback) {
  for (const char* text : {"127.0.0.1:1", "127.9.8.7:1", "localhost:1", "[::1]:1"}) {
    EXPECT_TRUE(ParseAddress(text)->IsLoopback()) << text;
  }
  for (const char* text :
       {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "127.0.0.1.example.org:1", "128.0.0.1:1"}) {
    EXPECT_FALSE(ParseAddress(text)->IsLoopback()) << text;
  }
}

class BadAddressTest : public ::testing::TestWithParam<const char*> {};

TEST_P(BadAddressTest, IsRefusedWithTheFormExpected) {
  const auto address = ParseAddress(GetParam());
  ASSERT_FALSE(address.ok());
  EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(address.status().message(), HasSubstr("expected HOST:PORT"));
}

INSTANTIATE_TEST_SUITE_P(All, BadAddressTest,
                         ::testing::Values("", "host", ":5052", "host:", "host:x", "host:65536", "host:-1", "host: 1",
                                           "::1:5052", "host:1 ", "host:+1", "host:01", "[]:1", "ho st:1",
                                           "http://host:1"));

TEST(AddressTest, ReadsTheAbsolutePathOfASocket) {
  const auto address = ParseAddress("unix:/run/lean/signer.sock");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->unix_path, "/run/lean/signer.sock");
  EXPECT_EQ(address->ToString(), "unix:/run/lean/signer.sock");
  EXPECT_TRUE(address->IsLoopback());
  EXPECT_FALSE(ParseAddress("unix:").ok());
  EXPECT_FALSE(ParseAddress("unix:relative").ok());
  EXPECT_FALSE(ParseAddress("unix:/" + std::string(200, 'x')).ok()) << "longer than a socket's path can be";
}

TEST(CannotListenTest, GivesTheSystemsReasonAndWhatToDo) {
  const Address address{"::1", 80};
  EXPECT_THAT(CannotListen(address, EADDRINUSE).message(),
              HasSubstr("cannot listen on [::1]:80: Address already in use (another process has this port"));
  EXPECT_THAT(CannotListen(address, EADDRNOTAVAIL).message(),
              HasSubstr("Cannot assign requested address (no address of this machine"));
  EXPECT_THAT(CannotListen(address, EACCES).message(), HasSubstr("Permission denied (a port below 1024"));
}

}  // namespace
}  // namespace lean::rpc
