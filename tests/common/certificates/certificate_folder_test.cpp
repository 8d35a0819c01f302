#include "common/certificates/certificate_folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/certificates/certificate.h"
#include "common/process/whole_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/config/temporary_folder.h"

namespace lean {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::string Read(const std::string& path) {
  const auto text = ReadTextFile(path, 1 << 20);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

CertificateInfo InfoOf(const std::string& path) {
  const auto infos = ReadCertificateInfos(Read(path));
  EXPECT_TRUE(infos.ok()) << infos.status();
  return infos.ok() ? infos->front() : CertificateInfo();
}

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

class CertificateFolderTest : public ::testing::Test {
 protected:
  CertificateRequest Request(const std::vector<NodeNames>& nodes, int64_t days = 30) const {
    return {.folder = folder_, .nodes = nodes, .days = days};
  }

  const TemporaryFolder dir_;
  const std::string folder_ = dir_.path() + "/certs";
  const NodeNames one_ = *ParseNode(Role::kBeacon, "one=10.0.0.1,beacon.example.org");
  const NodeNames alice_ = *ParseNode(Role::kValidator, "alice");
};

TEST_F(CertificateFolderTest, EveryNodeHasWhatItNeeds) {
  const auto issued = MakeCertificateFolder(Request({one_, alice_}), kNow);
  ASSERT_TRUE(issued.ok()) << issued.status();
  ASSERT_EQ(issued->size(), 2);
  EXPECT_EQ((*issued)[0].folder, folder_ + "/one");

  const CertificateInfo one = InfoOf(folder_ + "/one/cert.pem");
  EXPECT_THAT(one.hosts, ElementsAre("10.0.0.1", "beacon.example.org", "localhost", "127.0.0.1", "::1"));
  ASSERT_EQ(one.roles.size(), 1);
  EXPECT_EQ(one.roles[0].ToString(), "lean://beacon/one");
  EXPECT_EQ(one.begin, kNow - absl::Hours(1));
  EXPECT_EQ(one.end, kNow + absl::Hours(30 * 24));
  EXPECT_EQ(one.end, (*issued)[0].end);

  const CertificateInfo alice = InfoOf(folder_ + "/alice/cert.pem");
  EXPECT_THAT(alice.hosts, ElementsAre());
  EXPECT_EQ(alice.issuer, one.issuer);
  EXPECT_EQ(alice.issuer, InfoOf(folder_ + "/authority/cert.pem").subject);
  EXPECT_EQ(Read(folder_ + "/alice/ca.pem"), Read(folder_ + "/authority/cert.pem"));

  for (const char* node : {"authority", "one", "alice"}) {
    EXPECT_EQ(ModeOf(folder_ + "/" + node), 0700) << node;
    EXPECT_EQ(ModeOf(folder_ + "/" + node + "/key.pem"), 0600) << node;
  }
}

TEST_F(CertificateFolderTest, NothingIsOverwritten) {
  ASSERT_TRUE(MakeCertificateFolder(Request({alice_}), kNow).ok());
  const std::string before = Read(folder_ + "/alice/cert.pem") + Read(folder_ + "/alice/key.pem");
  EXPECT_EQ(MakeCertificateFolder(Request({one_}), kNow).status().code(), absl::StatusCode::kAlreadyExists);
  // The first of the two is new; it is not left behind.
  const auto added = AddCertificates(Request({one_, alice_}), kNow);
  EXPECT_EQ(added.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(added.status().message(), HasSubstr("alice exists"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/one"));
  EXPECT_EQ(Read(folder_ + "/alice/cert.pem") + Read(folder_ + "/alice/key.pem"), before);
}

TEST_F(CertificateFolderTest, MoreNodesHaveTheSameAuthority) {
  ASSERT_TRUE(MakeCertificateFolder(Request({one_}), kNow).ok());
  ASSERT_TRUE(AddCertificates(Request({alice_}), kNow + absl::Hours(48)).ok());
  EXPECT_EQ(InfoOf(folder_ + "/alice/cert.pem").issuer, InfoOf(folder_ + "/one/cert.pem").issuer);
  EXPECT_EQ(Read(folder_ + "/alice/ca.pem"), Read(folder_ + "/one/ca.pem"));
}

TEST_F(CertificateFolderTest, RenewedOnesKeepNamesAndKeys) {
  ASSERT_TRUE(MakeCertificateFolder(Request({one_, alice_}), kNow).ok());
  const std::string alice = Read(folder_ + "/alice/cert.pem");
  const std::string key = Read(folder_ + "/one/key.pem");
  const absl::Time later = kNow + absl::Hours(29 * 24);
  ASSERT_TRUE(RenewCertificates(folder_, {"one"}, 30, later).ok());
  const CertificateInfo one = InfoOf(folder_ + "/one/cert.pem");
  EXPECT_EQ(one.end, later + absl::Hours(30 * 24));
  EXPECT_EQ(one.hosts.size(), 5);
  EXPECT_EQ(one.roles.size(), 1);
  EXPECT_EQ(Read(folder_ + "/one/key.pem"), key);
  EXPECT_EQ(Read(folder_ + "/alice/cert.pem"), alice);
  const auto all = RenewCertificates(folder_, {}, 30, later);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->size(), 2);
  EXPECT_EQ(RenewCertificates(folder_, {"bob"}, 30, later).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CertificateFolderTest, NoCertificateOutlivesItsAuthority) {
  ASSERT_TRUE(MakeCertificateFolder(Request({alice_}), kNow).ok());
  const auto renewed = RenewCertificates(folder_, {}, kMostDays, kNow + absl::Hours(24));
  EXPECT_THAT(renewed.status().message(), HasSubstr("the authority ends before"));
}

TEST_F(CertificateFolderTest, AFailedAttemptLeavesNoFolder) {
  EXPECT_FALSE(MakeCertificateFolder(Request({alice_, alice_}), kNow).ok());
  EXPECT_FALSE(MakeCertificateFolder(Request({alice_}, 0), kNow).ok());
  EXPECT_FALSE(MakeCertificateFolder(Request({alice_}, kMostDays + 1), kNow).ok());
  EXPECT_FALSE(MakeCertificateFolder(Request({*ParseNode(Role::kReader, "authority")}), kNow).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST(ParseNode, RefusesWhatIsNoNameOrHost) {
  for (const char* text : {"", "=10.0.0.1", "..", "a/b", "a=", "a=10.0.0.1:5052", "a=[::1]", "a=x,,y", "a=x,URI:y"}) {
    EXPECT_EQ(ParseNode(Role::kBeacon, text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_TRUE(ParseNode(Role::kBeacon, "a=::1,10.0.0.1,b.example").ok());
}

TEST(ReadCertificateInfos, DamagedTextIsNoCertificate) {
  EXPECT_FALSE(ReadCertificateInfos("").ok());
  EXPECT_FALSE(ReadCertificateInfos("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").ok());
}

}  // namespace
}  // namespace lean
