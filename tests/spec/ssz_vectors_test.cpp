// Replays the reference's encodings and roots: every file of the vectors' ssz folder.
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/containers/containers.h"
#include "gtest/gtest.h"
#include "tests/spec/support/container_json.h"
#include "tests/spec/support/vector_files.h"

namespace lean::spec {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SszVectors);

// Value, bytes and root of a good case agree with each other in every direction.
template <typename T>
void CheckGoodCase(const nlohmann::json& json, const std::vector<uint8_t>& bytes) {
  const absl::StatusOr<T> value = FromJson<T>(json.at("value"));
  ASSERT_TRUE(value.ok()) << value.status();
  const absl::StatusOr<T> decoded = ssz::Deserialize<T>(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(ssz::Serialize(*value) == bytes) << "serialized value differs";
  EXPECT_TRUE(ssz::Serialize(*decoded) == bytes) << "decoded value does not serialize to the same bytes";
  EXPECT_TRUE(*decoded == *value) << "decoded value differs";
  const std::string root = json.at("root").get<std::string>();
  EXPECT_EQ(ToHex(ssz::HashTreeRoot(*value).span()), root);
  EXPECT_EQ(ToHex(ssz::HashTreeRoot(*decoded).span()), root);
}

// Bytes of a case that says whether a strict decoder takes them.
template <typename T>
void CheckStrictCase(const nlohmann::json& json, const std::vector<uint8_t>& bytes) {
  const absl::StatusOr<T> decoded = ssz::Deserialize<T>(bytes);
  const bool accepted = json.at("strictExpected") == "accept";
  ASSERT_EQ(decoded.ok(), accepted) << decoded.status();
  if (accepted) {
    EXPECT_TRUE(ssz::Serialize(*decoded) == bytes);
  }
}

template <typename T>
void CheckCase(const nlohmann::json& json) {
  const absl::StatusOr<std::vector<uint8_t>> bytes = ParseHex(json.at("serialized").get<std::string>());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  if (json.contains("strictExpected")) {
    CheckStrictCase<T>(json, *bytes);
  } else {
    CheckGoodCase<T>(json, *bytes);
  }
}

const std::map<std::string, std::function<void(const nlohmann::json&)>>& Checks() {
  static const auto& checks = *new std::map<std::string, std::function<void(const nlohmann::json&)>>{
      {"Attestation", CheckCase<Attestation>},
      {"AttestationData", CheckCase<AttestationData>},
      {"Block", CheckCase<Block>},
      {"BlockBody", CheckCase<BlockBody>},
      {"BlockHeader", CheckCase<BlockHeader>},
      {"BlockWithAttestation", CheckCase<BlockWithAttestation>},
      {"Checkpoint", CheckCase<Checkpoint>},
      {"Config", CheckCase<Config>},
      {"HistoricalBlockHashes", CheckCase<HistoricalBlockHashes>},
      {"JustificationRoots", CheckCase<JustificationsRoots>},
      {"JustificationValidators", CheckCase<JustificationsValidators>},
      {"JustifiedSlots", CheckCase<JustifiedSlots>},
      {"SignedAttestation", CheckCase<SignedAttestation>},
      {"SignedBlockWithAttestation", CheckCase<SignedBlockWithAttestation>},
      {"State", CheckCase<State>},
      {"Validator", CheckCase<Validator>},
      {"Validators", CheckCase<Validators>},
  };
  return checks;
}

class SszVectors : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(SszVectors, Replay) {
  const absl::StatusOr<nlohmann::json> file = ReadJson(GetParam());
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_FALSE(file->at("cases").empty());
  for (const nlohmann::json& json : file->at("cases")) {
    const std::string type = json.at("type").get<std::string>();
    SCOPED_TRACE(type + " " + json.at("name").get<std::string>());
    const auto check = Checks().find(type);
    ASSERT_NE(check, Checks().end()) << "no such type";
    check->second(json);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, SszVectors, testing::ValuesIn(VectorFiles("ssz")), VectorTestName);

}  // namespace
}  // namespace lean::spec
