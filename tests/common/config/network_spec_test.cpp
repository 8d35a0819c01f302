#include "common/config/network_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/common/config/temporary_folder.h"

namespace lean {
namespace {

std::string ErrorOf(const std::string& text) {
  TemporaryFolder folder;
  const std::string path = folder.Write("network.yaml", text);
  std::string message(ReadNetworkSpec(folder.path()).status().message());
  if (message.rfind(path, 0) == 0) message.erase(0, path.size());
  return message;
}

TEST(NetworkSpec, AFolderWithoutTheFileHasTheDefaults) {
  TemporaryFolder folder;
  std::vector<std::string> warnings;
  EXPECT_EQ(ReadNetworkSpec(folder.path(), &warnings).value(), NetworkSpec());
  EXPECT_EQ(warnings, std::vector<std::string>{NetworkSpecPath(folder.path()) +
                                               " is missing, so slots have 4000 ms and keys have a lifetime of 2^32"});
}

TEST(NetworkSpec, ReadsWhatWasWritten) {
  TemporaryFolder folder;
  const NetworkSpec spec{.name = "quick-1.a_B", .slot_duration_ms = 400, .xmss_log_lifetime = 16};
  ASSERT_TRUE(WriteNetworkSpec(spec, folder.path()).ok());
  std::vector<std::string> warnings;
  EXPECT_EQ(ReadNetworkSpec(folder.path(), &warnings).value(), spec);
  EXPECT_TRUE(warnings.empty());
  EXPECT_TRUE(absl::IsAlreadyExists(WriteNetworkSpec(spec, folder.path())));
}

TEST(NetworkSpec, EveryFieldIsOptional) {
  TemporaryFolder folder;
  folder.Write("network.yaml", "SLOT_DURATION_MS: 800\n");
  EXPECT_EQ(ReadNetworkSpec(folder.path()).value(), (NetworkSpec{.slot_duration_ms = 800}));
}

TEST(NetworkSpec, ErrorsNameLineAndField) {
  EXPECT_EQ(ErrorOf("NETWORK_NAME: a\nSLOT_DURATION_MS: 401\n"),
            ":2: SLOT_DURATION_MS: expected a multiple of 4 from 100 to 60000 milliseconds, got 401");
  EXPECT_EQ(ErrorOf("SLOT_DURATION_MS: 96\n"),
            ":1: SLOT_DURATION_MS: expected a multiple of 4 from 100 to 60000 milliseconds, got 96");
  EXPECT_EQ(ErrorOf("XMSS_LOG_LIFETIME: 18\n"), ":1: XMSS_LOG_LIFETIME: expected 8, 16 or 32, got 18");
  EXPECT_EQ(ErrorOf("SIGNATURE_FORM: bincode\n"), ":1: SIGNATURE_FORM: expected flat, got \"bincode\"");
  EXPECT_EQ(ErrorOf("NETWORK_NAME: \"a b\"\n"), ":1: NETWORK_NAME: expected 1 to 64 letters, digits, '-', '_' or '.'");
  EXPECT_THAT(ErrorOf("SLOT_DURATION: 4000\n"), testing::HasSubstr(":1: SLOT_DURATION: unknown field"));
  EXPECT_EQ(ErrorOf("- 1\n"), ":1: expected a map of `name: value`");
}

TEST(NetworkSpec, WhatCannotBeReadIsNotWritten) {
  TemporaryFolder folder;
  EXPECT_TRUE(absl::IsInvalidArgument(WriteNetworkSpec({.name = "a\nb"}, folder.path())));
  EXPECT_TRUE(absl::IsInvalidArgument(WriteNetworkSpec({.slot_duration_ms = 0}, folder.path())));
  EXPECT_TRUE(absl::IsInvalidArgument(WriteNetworkSpec({.xmss_log_lifetime = 20}, folder.path())));
  EXPECT_EQ(ReadNetworkSpec(folder.path()).value(), NetworkSpec());
}

}  // namespace
}  // namespace lean
