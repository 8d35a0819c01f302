// Replays keys, signatures and Poseidon2 constants made by leanSig f10dcbe: every file of the vectors' leansig folder.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/bytes/bytes.h"
#include "common/crypto/poseidon2/constants.h"
#include "common/crypto/poseidon2/poseidon2.h"
#include "common/crypto/sha.h"
#include "common/crypto/signature_scheme.h"
#include "common/crypto/xmss/keys/key_generation.h"
#include "common/crypto/xmss/keys/public_key.h"
#include "common/crypto/xmss/keys/secret_key.h"
#include "common/crypto/xmss/keys/secret_key_codec.h"
#include "common/crypto/xmss/one_time/one_time_key.h"
#include "gtest/gtest.h"
#include "tests/spec/support/vector_files.h"

namespace lean::spec {
namespace {

using nlohmann::json;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LeanSigVectors);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LeanSigKeys);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LeanSigCases);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LeanSigPermutations);

constexpr char kKeyField[] = "log_lifetime";
constexpr char kCasesField[] = "cases";
constexpr char kPermutationField[] = "w16";

// The files that have a field, since not every file has everything.
std::vector<std::filesystem::path> FilesWith(const char* field) {
  std::vector<std::filesystem::path> files = VectorFiles("leansig");
  std::erase_if(files, [field](const std::filesystem::path& path) {
    const absl::StatusOr<json> file = ReadJson(path);
    return !file.ok() || !file->contains(field);
  });
  return files;
}

std::vector<uint8_t> HexOf(const json& value) {
  const absl::StatusOr<std::vector<uint8_t>> bytes = ParseHex(value.get<std::string>());
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.value_or(std::vector<uint8_t>{});
}

Root RootFrom(const json& value) {
  const absl::StatusOr<Root> root = ParseFixedHex<Root>(value.get<std::string>());
  EXPECT_TRUE(root.ok()) << root.status();
  return root.value_or(Root{});
}

std::string HexOfNode(const xmss::Scheme& scheme, const xmss::Node& node) {
  std::vector<uint8_t> bytes(scheme.hash_bytes());
  xmss::WriteWords(absl::MakeConstSpan(node).first(scheme.hash_len()), absl::MakeSpan(bytes));
  return ToHex(bytes).substr(2);
}

// Whether every little-endian word of the bytes is below the field's modulus; offsets are.
bool AllCanonical(const std::vector<uint8_t>& bytes) {
  std::vector<uint32_t> words(bytes.size() / 4);
  return bytes.size() % 4 == 0 && xmss::ReadWords(bytes, absl::MakeSpan(words));
}

class LeanSigVectors : public testing::TestWithParam<std::filesystem::path> {
 protected:
  void SetUp() override {
    absl::StatusOr<json> file = ReadJson(GetParam());
    ASSERT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
    if (!file_.contains(kKeyField)) return;
    const uint32_t log_lifetime = file_.at(kKeyField);
    const absl::StatusOr<xmss::Scheme> scheme =
        log_lifetime == 18 ? xmss::Scheme::Lifetime18() : xmss::Scheme::Create(log_lifetime);
    ASSERT_TRUE(scheme.ok()) << scheme.status();
    scheme_ = *scheme;
  }

  const json& file() const { return file_; }
  const xmss::Scheme& scheme() const { return scheme_; }

  std::vector<uint8_t> SecretKeyFile() const {
    std::filesystem::path path = GetParam().parent_path() / file_.at("secret_key_file").get<std::string>();
    if (!std::filesystem::exists(path)) path += ".gz";
    const absl::StatusOr<std::string> bytes = ReadVectorFile(path);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (!bytes.ok()) return {};
    return std::vector<uint8_t>(bytes->begin(), bytes->end());
  }

  absl::StatusOr<xmss::SecretKey> LoadKey() const { return xmss::DecodeLeanSigSecretKey(scheme_, SecretKeyFile()); }

  void CheckSubtree(const xmss::Subtree& tree, const json& expected) const {
    EXPECT_EQ(tree.lowest_level, expected.at("lowest_layer"));
    ASSERT_EQ(tree.layers.size(), expected.at("layers").size());
    for (size_t i = 0; i < tree.layers.size(); ++i) {
      const xmss::Layer& layer = tree.layers[i];
      const json& expected_layer = expected.at("layers")[i];
      EXPECT_EQ(layer.first_index, expected_layer.at("start_index"));
      EXPECT_EQ(layer.words.size() / scheme_.hash_len(), expected_layer.at("num_nodes"));
      EXPECT_EQ(HexOfNode(scheme_, xmss::NodeAt(scheme_, layer, layer.first_index)), expected_layer.at("first_node"));
    }
  }

 private:
  json file_;
  xmss::Scheme scheme_ = xmss::Scheme::Lifetime18();
};

class LeanSigKeys : public LeanSigVectors {};
class LeanSigCases : public LeanSigVectors {};
class LeanSigPermutations : public LeanSigVectors {};

TEST_P(LeanSigVectors, HasAKnownForm) { EXPECT_TRUE(file().contains(kKeyField) || file().contains(kPermutationField)); }

TEST_P(LeanSigKeys, ParametersAreOurs) {
  EXPECT_EQ(scheme().hash_len(), file().at("hash_len_fe"));
  EXPECT_EQ(scheme().randomness_len(), file().at("rand_len_fe"));
  EXPECT_EQ(scheme().public_key_bytes(), file().at("public_key_bytes"));
  const xmss::Signature empty;
  EXPECT_EQ(xmss::EncodeSsz(scheme(), empty).size(), file().at("signature_bytes"));
}

TEST_P(LeanSigKeys, SecretKeyLoadsAndSavesTheSameBytes) {
  const std::vector<uint8_t> bytes = SecretKeyFile();
  const json& expected = file().at("secret_key");
  ASSERT_EQ(bytes.size(), expected.at("total_bytes"));
  ASSERT_EQ(ToHex(crypto::Sha256(bytes).span()).substr(2), expected.at("sha256"));
  const absl::StatusOr<xmss::SecretKey> key = xmss::DecodeLeanSigSecretKey(scheme(), bytes);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(xmss::EncodeLeanSigSecretKey(*key).span() == ByteSpan(bytes)) << "saved key differs";

  EXPECT_EQ(ToHex(xmss::EncodePublicKey(scheme(), key->public_key())).substr(2), file().at("public_key"));
  EXPECT_EQ(key->active(), (xmss::SlotRange{file().at("activation_interval")[0], file().at("activation_interval")[1]}));
  CheckSubtree(key->parts().top_tree, expected.at("subtrees")[0]);
  CheckSubtree(key->parts().left, expected.at("subtrees")[1]);
  CheckSubtree(key->parts().right, expected.at("subtrees")[2]);
}

TEST_P(LeanSigKeys, ActiveSlotsAreWidenedAlike) {
  const uint64_t first = file().at("key_gen_args").at("activation_epoch");
  const uint64_t count = file().at("key_gen_args").at("num_active_epochs");
  const absl::StatusOr<xmss::SlotRange> active =
      xmss::WidenActiveRange(scheme(), {.first = first, .end = first + count});
  ASSERT_TRUE(active.ok()) << active.status();
  EXPECT_EQ(*active, (xmss::SlotRange{file().at("activation_interval")[0], file().at("activation_interval")[1]}));
}

TEST_P(LeanSigKeys, TreesAreThoseOfTheSeed) {
  const absl::StatusOr<xmss::SecretKey> key = LoadKey();
  ASSERT_TRUE(key.ok()) << key.status();
  const xmss::SecretKeyParts& parts = key->parts();
  for (const uint64_t i : {0, 1}) {
    const xmss::Layer& leaves = (i == 0 ? parts.left : parts.right).layers.front();
    // The first and last leaves of a tree; all of them where it is small.
    const size_t count = std::min<size_t>(leaves.words.size(), 512 * scheme().hash_len());
    const uint64_t last_first = leaves.first_index + (leaves.words.size() - count) / scheme().hash_len();
    std::vector<uint32_t> computed(count);
    xmss::HashLeaves(scheme(), parts.prf_key, parts.parameter, leaves.first_index, absl::MakeSpan(computed));
    EXPECT_TRUE(std::equal(computed.begin(), computed.end(), leaves.words.begin()));
    xmss::HashLeaves(scheme(), parts.prf_key, parts.parameter, last_first, absl::MakeSpan(computed));
    EXPECT_TRUE(std::equal(computed.rbegin(), computed.rend(), leaves.words.rbegin()));
  }
}

TEST_P(LeanSigKeys, SignaturesAreMadeAgain) {
  absl::StatusOr<xmss::SecretKey> key = LoadKey();
  ASSERT_TRUE(key.ok()) << key.status();
  for (const json& expected : file().at("signatures")) {
    SCOPED_TRACE(absl::StrCat("epoch ", expected.at("epoch").get<uint64_t>()));
    for (int i = 0; i < expected.at("advance_preparation_calls_before").get<int>(); ++i) {
      ASSERT_TRUE(key->Advance().ok());
    }
    const uint32_t slot = expected.at("epoch");
    const Root message = RootFrom(expected.at("message"));
    const xmss::SecretKeyParts& parts = key->parts();

    const absl::StatusOr<xmss::EncodedMessage> encoded =
        xmss::EncodeMessage(scheme(), parts.prf_key, parts.parameter, slot, message);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    EXPECT_EQ(encoded->counter, expected.at("successful_attempt_counter"));
    EXPECT_EQ(json(encoded->codeword), expected.at("codeword"));

    const absl::StatusOr<xmss::Signature> signature = key->Sign(slot, message);
    ASSERT_TRUE(signature.ok()) << signature.status();
    const std::vector<uint8_t> bytes = HexOf(expected.at("signature"));
    EXPECT_TRUE(xmss::EncodeSsz(scheme(), *signature) == bytes) << "signature differs";
    EXPECT_TRUE(xmss::Verify(scheme(), key->public_key(), slot, message, *signature));
    xmss::Signature decoded;
    ASSERT_TRUE(xmss::DecodeSsz(scheme(), bytes, decoded).ok());
    EXPECT_EQ(decoded, *signature);

    xmss::Codeword all_ends;
    all_ends.fill(xmss::kChainEnd);
    const auto starts = xmss::RevealChains(scheme(), parts.prf_key, parts.parameter, slot, xmss::Codeword{});
    const auto ends = xmss::RevealChains(scheme(), parts.prf_key, parts.parameter, slot, all_ends);
    EXPECT_EQ(HexOfNode(scheme(), starts.front()), expected.at("prf_chain_start_0"));
    EXPECT_EQ(HexOfNode(scheme(), starts.back()), expected.at("prf_chain_start_63"));
    EXPECT_EQ(HexOfNode(scheme(), ends.front()), expected.at("chain_end_0"));
    EXPECT_EQ(HexOfNode(scheme(), ends.back()), expected.at("chain_end_63"));
    const xmss::Layer& leaves =
        (slot / scheme().bottom_leaves() == parts.left_bottom_index ? parts.left : parts.right).layers.front();
    EXPECT_EQ(HexOfNode(scheme(), xmss::NodeAt(scheme(), leaves, slot)), expected.at("leaf_hash"));
  }
}

// leanSig accepts some encodings that are not canonical or not exact, and panics on others: ours are all invalid.
TEST_P(LeanSigCases, CasesAreJudgedStrictly) {
  for (const json& test_case : file().at("cases")) {
    SCOPED_TRACE(test_case.at("name").get<std::string>());
    const std::vector<uint8_t> key_bytes = HexOf(test_case.at("pk"));
    const std::vector<uint8_t> bytes = HexOf(test_case.at("signature"));
    const uint64_t slot = test_case.at("epoch");
    const Root message = RootFrom(test_case.at("message"));
    const bool strict = bytes.size() == file().at("signature_bytes") && AllCanonical(bytes) && AllCanonical(key_bytes);
    const bool expected = test_case.at("leansig_outcome") == "valid" && strict;

    xmss::Signature signature;
    const absl::Status decoded = xmss::DecodeSsz(scheme(), bytes, signature);
    const absl::StatusOr<xmss::PublicKey> key = xmss::DecodePublicKey(scheme(), key_bytes);
    const bool valid = decoded.ok() && key.ok() && xmss::Verify(scheme(), *key, slot, message, signature);
    EXPECT_EQ(valid, expected);
    if (!decoded.ok()) continue;
    EXPECT_TRUE(xmss::EncodeSsz(scheme(), signature) == bytes) << "two encodings of one signature";

    // The same in the container, where the network's scheme has one.
    const absl::StatusOr<crypto::SignatureScheme> network =
        crypto::SignatureScheme::Create({.xmss_log_lifetime = scheme().log_lifetime()});
    PublicKeyBytes public_key;
    if (!network.ok() || key_bytes.size() != public_key.data.size()) continue;
    std::copy(key_bytes.begin(), key_bytes.end(), public_key.data.begin());
    SignatureBytes container;
    xmss::EncodeFlat(scheme(), signature, container.mutable_span());
    EXPECT_EQ(network->Verify(public_key, slot, message, container).ok(), expected);
  }
}

template <size_t kWidth>
void CheckPoseidon2(const json& expected) {
  using Constants = crypto::poseidon2::Constants<kWidth>;
  EXPECT_EQ(json(Constants::kInitial), expected.at("external_initial"));
  EXPECT_EQ(json(Constants::kTerminal), expected.at("external_terminal"));
  EXPECT_EQ(json(Constants::kInternal), expected.at("internal"));
  EXPECT_EQ(json(Constants::kDiagonal), expected.at("diagonal"));
  for (const json& known_answer : expected.at("kat")) {
    const std::array<uint32_t, kWidth> input = known_answer.at("in");
    std::array<crypto::Fp, kWidth> state;
    std::transform(input.begin(), input.end(), state.begin(), crypto::Fp::FromUint64);
    crypto::poseidon2::Permute(state);
    std::array<uint32_t, kWidth> output;
    std::transform(state.begin(), state.end(), output.begin(), [](crypto::Fp word) { return word.canonical(); });
    EXPECT_EQ(json(output), known_answer.at("out"));
  }
}

TEST_P(LeanSigPermutations, PermutationsAreOurs) {
  CheckPoseidon2<16>(file().at("w16"));
  CheckPoseidon2<24>(file().at("w24"));
}

INSTANTIATE_TEST_SUITE_P(Files, LeanSigVectors, testing::ValuesIn(VectorFiles("leansig")), VectorTestName);
INSTANTIATE_TEST_SUITE_P(Files, LeanSigKeys, testing::ValuesIn(FilesWith(kKeyField)), VectorTestName);
INSTANTIATE_TEST_SUITE_P(Files, LeanSigCases, testing::ValuesIn(FilesWith(kCasesField)), VectorTestName);
INSTANTIATE_TEST_SUITE_P(Files, LeanSigPermutations, testing::ValuesIn(FilesWith(kPermutationField)), VectorTestName);

}  // namespace
}  // namespace lean::spec
