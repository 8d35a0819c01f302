#include "common/config/genesis_creation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/config/genesis.h"
#include "common/crypto/signature_scheme.h"
#include "tests/common/config/temporary_folder.h"

namespace lean {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kNowMs = 1'700'000'000'500;

PublicKeyBytes Key(uint8_t seed) {
  PublicKeyBytes key;
  key.data[0] = seed;
  return key;
}

std::string Entry(uint64_t index, const PublicKeyBytes& key) {
  return absl::StrCat("- index: ", index, "\n  pubkey: ", ToHex(key.span()), "\n  keystore: key_", index, "\n");
}

class GenesisCreation : public testing::Test {
 protected:
  GenesisCreation() {
    request_.output_dir = folder_.File("genesis");
    request_.genesis_time = 1'700'000'001;
    request_.network = {.name = "test", .slot_duration_ms = 400, .xmss_log_lifetime = 8};
  }

  void AddFile(const std::string& node, const std::string& text) {
    request_.key_files.push_back({.node = node, .path = folder_.Write(node + ".yaml", text)});
  }

  std::string Error() {
    const absl::Status status = CreateGenesisFolder(request_, kNowMs).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_FALSE(std::filesystem::exists(request_.output_dir));
    return std::string(status.message());
  }

  TemporaryFolder folder_;
  GenesisRequest request_;
};

TEST_F(GenesisCreation, WritesAFolderThatReadsBack) {
  AddFile("alice", Entry(2, Key(3)) + Entry(0, Key(1)));
  AddFile("bob", Entry(1, Key(2)));
  request_.active_epoch = 8;
  const GenesisConfig config = CreateGenesisFolder(request_, kNowMs).value();
  EXPECT_THAT(config.validators, ElementsAre(Key(1), Key(2), Key(3)));
  EXPECT_EQ(ReadGenesisConfig(request_.output_dir).value(), config);
  EXPECT_EQ(ReadNetworkSpec(request_.output_dir).value(), request_.network);
  EXPECT_THAT(ReadValidatorAssignment(request_.output_dir, 3).value(),
              ElementsAre(testing::Pair("alice", ElementsAre(2, 0)), testing::Pair("bob", ElementsAre(1))));
}

TEST_F(GenesisCreation, AnExistingFolderIsLeftAsItIs) {
  AddFile("alice", Entry(0, Key(1)));
  std::filesystem::create_directory(request_.output_dir);
  const absl::Status status = CreateGenesisFolder(request_, kNowMs).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(request_.output_dir));
  EXPECT_TRUE(std::filesystem::is_empty(request_.output_dir));
}

TEST_F(GenesisCreation, AFolderInNoFolderIsAnError) {
  AddFile("alice", Entry(0, Key(1)));
  request_.output_dir = folder_.File("no/genesis");
  EXPECT_TRUE(absl::IsNotFound(CreateGenesisFolder(request_, kNowMs).status()));
}

TEST_F(GenesisCreation, AMissingIndexIsNamed) {
  AddFile("alice", Entry(0, Key(1)) + Entry(2, Key(2)));
  EXPECT_EQ(Error(), "validator 1 has no key: indices go from 0 to 2 without a gap");
}

TEST_F(GenesisCreation, AnIndexNamedTwiceIsRefusedWithBothPlaces) {
  AddFile("alice", Entry(0, Key(1)));
  AddFile("bob", Entry(0, Key(2)));
  EXPECT_EQ(Error(), absl::StrCat(folder_.File("bob.yaml"), ":1: [0].index: index 0 is also at ",
                                  folder_.File("alice.yaml"), ":1"));
}

TEST_F(GenesisCreation, AKeyUsedTwiceIsRefusedWithBothPlaces) {
  AddFile("alice", Entry(0, Key(1)) + Entry(1, Key(1)));
  EXPECT_THAT(Error(), HasSubstr(absl::StrCat("alice.yaml:5: [1].pubkey: this key is also at ",
                                              folder_.File("alice.yaml"), ":1")));
}

TEST_F(GenesisCreation, AKeyOfNoSchemeIsRefused) {
  PublicKeyBytes key;
  key.data.fill(0xff);
  AddFile("alice", Entry(0, key));
  EXPECT_THAT(Error(), HasSubstr("alice.yaml:2: [0].pubkey: "));
}

TEST_F(GenesisCreation, WhatIsMissingOrMalformedIsNamed) {
  AddFile("alice", "- index: 0\n  enabled: false\n");
  EXPECT_THAT(Error(), HasSubstr("alice.yaml:2: [0].enabled: unknown field: known are index, pubkey, keystore"));
  request_.key_files.clear();
  AddFile("alice", "- index: 0\n");
  EXPECT_THAT(Error(), HasSubstr("alice.yaml:1: [0]: pubkey is missing: add it"));
  request_.key_files.clear();
  EXPECT_EQ(Error(), "no validators: name at least one file with public keys");
  AddFile("bob", "- index: 4096\n  pubkey: 00\n");
  EXPECT_THAT(Error(), HasSubstr("bob.yaml:1: [0].index: expected a whole number from 0 to 4095"));
  request_.key_files = {{.node = "a b", .path = "x"}};
  EXPECT_THAT(Error(), HasSubstr("expected 1 to 64 letters"));
}

TEST_F(GenesisCreation, TwoFilesOfOneNodeAreRefused) {
  AddFile("alice", Entry(0, Key(1)));
  AddFile("alice", Entry(0, Key(1)));
  EXPECT_EQ(Error(), "two files for node alice: name each node once");
}

TEST_F(GenesisCreation, AGenesisTimeThatHasPassedIsRefused) {
  AddFile("alice", Entry(0, Key(1)));
  request_.genesis_time = 1'700'000'000;
  EXPECT_THAT(Error(), HasSubstr("genesis time 1700000000 has passed (now is 1700000000)"));
  request_.genesis_time = kMaxGenesisTime + 1;
  EXPECT_THAT(Error(), HasSubstr("beyond the year 9999"));
}

TEST_F(GenesisCreation, ANetworkThatCannotBeIsRefused) {
  AddFile("alice", Entry(0, Key(1)));
  request_.network.slot_duration_ms = 399;
  EXPECT_THAT(Error(), HasSubstr("slot duration: expected a multiple of 4"));
}

TEST_F(GenesisCreation, NothingIsWrittenThatIsRefusedWhenItIsRead) {
  AddFile("alice", Entry(0, Key(1)));
  request_.active_epoch = 33;
  EXPECT_THAT(Error(), HasSubstr("active epoch 33: expected a whole number from 0 to 32"));
  request_.active_epoch = 32;
  const GenesisConfig config = CreateGenesisFolder(request_, kNowMs).value();
  EXPECT_EQ(ReadGenesisConfig(request_.output_dir).value(), config);
}

TEST(PublicKeys, TheFirstKeyAtFaultIsNamed) {
  const crypto::SignatureScheme scheme = crypto::SignatureScheme::Create({.xmss_log_lifetime = 8}).value();
  GenesisConfig config{.genesis_time = 1, .active_epoch = 0, .validators = {Key(1), Key(2)}};
  EXPECT_TRUE(CheckPublicKeys(config, scheme).ok());
  config.validators[1].data.fill(0xff);
  const absl::Status status = CheckPublicKeys(config, scheme);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("GENESIS_VALIDATORS[1] (0xffff…ff)"));
}

}  // namespace
}  // namespace lean
