#include "beacon/network/peers_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace lean::beacon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<std::vector<std::string>> Read(const std::string& text) {
  // Other tests may run at the same time.
  const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string path = (std::filesystem::path(testing::TempDir()) / (test + ".peers.yaml")).string();
  std::ofstream(path) << text;
  return ReadPeersFile(path);
}

TEST(PeersFile, IsAListOfAddresses) {
  EXPECT_THAT(*Read("- 10.0.0.1:9000\n- node-2:9000  # the other\n- \"[::1]:9000\"\n"),
              ElementsAre("10.0.0.1:9000", "node-2:9000", "[::1]:9000"));
  EXPECT_THAT(*Read("[]\n"), ElementsAre());
}

TEST(PeersFile, ErrorsNameTheLine) {
  EXPECT_THAT(std::string(Read("- 10.0.0.1:9000\n- nonsense\n").status().message()), HasSubstr("peers.yaml:2"));
  EXPECT_FALSE(Read("peers: 1\n").ok());
  EXPECT_FALSE(ReadPeersFile("/nowhere/peers.yaml").ok());
}

}  // namespace
}  // namespace lean::beacon
