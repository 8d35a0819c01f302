#include "common/config/genesis_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "tests/common/config/temporary_folder.h"

namespace lean {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

PublicKeyBytes Key(uint8_t seed) {
  PublicKeyBytes key;
  for (size_t i = 0; i < key.data.size(); ++i) key.data[i] = static_cast<uint8_t>(seed + i);
  return key;
}

std::string KeyHex(uint8_t seed) { return ToHex(Key(seed).span()).substr(2); }

std::string WithoutPath(std::string message, const std::string& path) {
  if (message.rfind(path, 0) == 0) message.erase(0, path.size());
  return message;
}

std::string ConfigError(const std::string& text) {
  TemporaryFolder folder;
  const std::string path = folder.Write("config.yaml", text);
  return WithoutPath(std::string(ReadGenesisConfig(folder.path()).status().message()), path);
}

std::string AssignmentError(const std::string& text) {
  TemporaryFolder folder;
  const std::string path = folder.Write("validators.yaml", text);
  return WithoutPath(std::string(ReadValidatorAssignment(folder.path(), 4).status().message()), path);
}

TEST(GenesisFolder, ReadsTheToolsOwnForm) {
  TemporaryFolder folder;
  folder.Write("config.yaml", absl::StrCat("# Genesis Settings\nGENESIS_TIME: 1763725540\n\n# Key Settings\n",
                                           "ACTIVE_EPOCH: 18\n\n# Validator Settings\nVALIDATOR_COUNT: 2\n\n",
                                           "GENESIS_VALIDATORS:\n  - \"", KeyHex(1), "\"\n  - ", KeyHex(2), "\n"));
  std::vector<std::string> warnings;
  const GenesisConfig config = ReadGenesisConfig(folder.path(), &warnings).value();
  EXPECT_EQ(config.genesis_time, 1763725540u);
  EXPECT_EQ(config.active_epoch, 18u);
  EXPECT_THAT(config.validators, ElementsAre(Key(1), Key(2)));
  EXPECT_THAT(warnings, testing::IsEmpty());
}

TEST(GenesisFolder, ReadsWhatWasWritten) {
  TemporaryFolder folder;
  GenesisConfig config{.genesis_time = 1'800'000'000, .active_epoch = 32, .validators = {}};
  for (int i = 0; i < 4096; ++i) {
    PublicKeyBytes key = Key(static_cast<uint8_t>(i));
    key.data[51] = static_cast<uint8_t>(i >> 8);
    config.validators.push_back(key);
  }
  ASSERT_TRUE(WriteGenesisConfig(config, folder.path()).ok());
  EXPECT_EQ(ReadGenesisConfig(folder.path()).value(), config);
  EXPECT_TRUE(absl::IsAlreadyExists(WriteGenesisConfig(config, folder.path())));
}

TEST(GenesisFolder, OneKeyForTwoIndicesIsAWarning) {
  TemporaryFolder folder;
  const std::string path =
      folder.Write("config.yaml", absl::StrCat("GENESIS_TIME: 1\nVALIDATOR_COUNT: 2\nEXTRA: 1\nGENESIS_VALIDATORS:\n- ",
                                               KeyHex(1), "\n- ", KeyHex(1), "\n"));
  std::vector<std::string> warnings;
  EXPECT_TRUE(ReadGenesisConfig(folder.path(), &warnings).ok());
  EXPECT_THAT(warnings, ElementsAre(path + ":3: EXTRA: unknown field, not used",
                                    path + ":6: GENESIS_VALIDATORS[1]: the same key as index 0"));
}

TEST(GenesisFolder, ConfigErrorsNameLineAndField) {
  const std::string keys = absl::StrCat("GENESIS_VALIDATORS:\n- ", KeyHex(1), "\n");
  EXPECT_EQ(ConfigError("VALIDATOR_COUNT: 1\n" + keys),
            ":1: GENESIS_TIME is missing: add it (the Unix time of slot 0, in seconds)");
  EXPECT_EQ(ConfigError("GENESIS_TIME: soon\nVALIDATOR_COUNT: 1\n" + keys),
            ":1: GENESIS_TIME: expected a whole number from 0 to 253402300799, got \"soon\"");
  EXPECT_EQ(ConfigError("GENESIS_TIME: 1\nVALIDATOR_COUNT: 2\n" + keys),
            ":4: GENESIS_VALIDATORS: the list has 1 keys but VALIDATOR_COUNT is 2: make them agree");
  EXPECT_THAT(ConfigError("GENESIS_TIME: 1\n" + keys), HasSubstr(":1: VALIDATOR_COUNT is missing"));
  EXPECT_THAT(ConfigError("GENESIS_TIME: 1\nVALIDATOR_COUNT: 1\n"), HasSubstr(":1: GENESIS_VALIDATORS is missing"));
  EXPECT_THAT(ConfigError("GENESIS_TIME: 1\nVALIDATOR_COUNT: 0\nGENESIS_VALIDATORS: []\n"),
              HasSubstr(":2: VALIDATOR_COUNT: expected a whole number from 1 to 4096"));
  EXPECT_EQ(ConfigError("GENESIS_TIME: 1\nVALIDATOR_COUNT: 1\nGENESIS_VALIDATORS:\n- " + KeyHex(1).substr(2) + "\n"),
            ":4: GENESIS_VALIDATORS[0]: not a public key: expected 52 bytes of hex, got 102 digits");
  EXPECT_EQ(ConfigError("GENESIS_TIME: 1\nVALIDATOR_COUNT: 1\nGENESIS_VALIDATORS:\n- g" + KeyHex(1).substr(1) + "\n"),
            ":4: GENESIS_VALIDATORS[0]: not a public key: not a hex digit at character 0");
}

TEST(GenesisFolder, MoreValidatorsThanTheRegistryHoldsAreRefused) {
  std::string text = "GENESIS_TIME: 1\nVALIDATOR_COUNT: 4096\nGENESIS_VALIDATORS:\n";
  for (int i = 0; i < 4097; ++i) absl::StrAppend(&text, "- ", KeyHex(1), "\n");
  EXPECT_EQ(ConfigError(text), ":4: GENESIS_VALIDATORS: the list has 4097 items, at most 4096 are allowed");
}

TEST(GenesisFolder, AFolderWithoutConfigSaysWhichFileIsMissing) {
  TemporaryFolder folder;
  const absl::Status status = ReadGenesisConfig(folder.path()).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder.File("config.yaml")));
}

TEST(GenesisFolder, AssignmentsRoundTrip) {
  TemporaryFolder folder;
  const ValidatorAssignment assignment = {{"alice_0", {0, 2}}, {"bob_0", {1}}};
  ASSERT_TRUE(WriteValidatorAssignment(assignment, folder.path()).ok());
  EXPECT_EQ(ReadValidatorAssignment(folder.path(), 3).value(), assignment);
}

TEST(GenesisFolder, PrefersTheAnnotatedAssignment) {
  TemporaryFolder folder;
  folder.Write("validators.yaml", "other: [0]\n");
  folder.Write("annotated_validators.yaml",
               "alice_0:\n  - index: 2\n    pubkey_hex: 00\n    privkey_file: validator_2_sk.json\n\nbob_0:\n  []\n");
  EXPECT_EQ(ReadValidatorAssignment(folder.path(), 3).value(), (ValidatorAssignment{{"alice_0", {2}}, {"bob_0", {}}}));
  folder.Write("annotated_validators.yaml", "alice_0:\n  - 2\n");
  EXPECT_THAT(std::string(ReadValidatorAssignment(folder.path(), 3).status().message()),
              HasSubstr("annotated_validators.yaml:2: alice_0[0]: expected a map"));
}

TEST(GenesisFolder, AssignmentErrorsNameLineAndField) {
  EXPECT_EQ(AssignmentError("a:\n  - 4\n"), ":2: a[0]: validator 4 is not in the genesis: it has 4");
  EXPECT_EQ(AssignmentError("a: [0, 1]\nb:\n  - 1\n"),
            ":3: b[0]: validator 1 is run by a already: two signers with one key endanger it");
  EXPECT_THAT(AssignmentError("a: [0, 0]\n"), HasSubstr("validator 0 is run by a already"));
  EXPECT_THAT(AssignmentError("a: [zero]\n"), HasSubstr(":1: a[0]: expected a whole number"));
  EXPECT_EQ(AssignmentError("a: 1\n"), ":1: a: expected a list");
}

TEST(GenesisFolder, ANodeNameThatYamlWouldMisreadIsNotWritten) {
  TemporaryFolder folder;
  EXPECT_TRUE(absl::IsInvalidArgument(WriteValidatorAssignment({{"a: b", {0}}}, folder.path())));
}

}  // namespace
}  // namespace lean
