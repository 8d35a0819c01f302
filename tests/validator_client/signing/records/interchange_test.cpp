#include "validator_client/signing/records/interchange.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/bytes/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/validator_client/signing/records/records_test_support.h"

namespace lean::validator {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<KeyHistory>& Example() {
  static const std::vector<KeyHistory> example = {{TestPubkey(1), {{7, TestRoot(1)}, {9, std::nullopt}}},
                                                  {TestPubkey(2), {{4294967295, TestRoot(3)}}}};
  return example;
}

std::string Document(absl::string_view data) {
  return absl::StrCat(
      R"({"metadata":{"interchange_format":"lean-signing-records","interchange_format_version":"1"},"data":)", data,
      "}");
}

std::string Key(absl::string_view leaves) {
  return Document(absl::StrCat(R"([{"pubkey":")", ToHex(TestPubkey(1).span()), R"(","signed_leaves":)", leaves, "}]"));
}

std::string ErrorOf(const std::string& text) {
  const auto parsed = ParseInterchange(text);
  EXPECT_FALSE(parsed.ok()) << text;
  EXPECT_TRUE(absl::IsInvalidArgument(parsed.status()));
  return std::string(parsed.status().message());
}

TEST(Interchange, ReadsWhatItWrites) {
  const std::string text = FormatInterchange(Example(), InterchangeForm::kLeaves);
  const auto parsed = ParseInterchange(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, Example());
  EXPECT_THAT(text, HasSubstr(R"("interchange_format_version": "1")"));
  EXPECT_THAT(text, HasSubstr(R"("slot": "4294967295")"));
}

TEST(Interchange, TheHighestAloneRefusesEveryRootOfIt) {
  const auto parsed = ParseInterchange(FormatInterchange(Example(), InterchangeForm::kHighestOnly));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ((*parsed)[0].leaves, (std::vector<SignedLeaf>{{9, std::nullopt}}));
  EXPECT_EQ((*parsed)[1].leaves, (std::vector<SignedLeaf>{{4294967295, std::nullopt}}));
}

TEST(Interchange, ErrorsNameThePath) {
  EXPECT_THAT(ErrorOf(""), StartsWith("no JSON: parse error at line 1, column 1"));
  EXPECT_THAT(ErrorOf("{\n\"metadata\": nope}"), StartsWith("no JSON: parse error at line 2, column 1"));
  EXPECT_EQ(ErrorOf("[]"), "the document: expected an object, is array");
  EXPECT_EQ(ErrorOf("{}"), "metadata: is missing");
  EXPECT_EQ(ErrorOf(R"({"metadata":{}})"), "metadata.interchange_format: is missing");
  EXPECT_EQ(ErrorOf(R"({"metadata":{"interchange_format_version":"5"},"data":[]})"),
            "metadata.interchange_format: is missing")
      << "EIP-3076's own";
  EXPECT_THAT(ErrorOf(absl::StrReplaceAll(Document("[]"), {{"\"1\"", "\"2\""}})),
              StartsWith("metadata.interchange_format_version: expected \"1\""));
  EXPECT_THAT(ErrorOf(absl::StrReplaceAll(Document("[]"), {{"\"1\"", "1"}})),
              StartsWith("metadata.interchange_format_version: expected a string, is number"));
  EXPECT_THAT(ErrorOf(absl::StrReplaceAll(Document("[]"), {{"\"data\"", "\"date\""}})),
              StartsWith("date: is not known here"));
  EXPECT_EQ(ErrorOf(Document("{}")), "data: expected an array, is object");
  EXPECT_EQ(ErrorOf(Document("[{}]")), "data[0].pubkey: is missing");
  EXPECT_THAT(ErrorOf(Document(R"([{"pubkey":"0x12","signed_leaves":[]}])")), StartsWith("data[0].pubkey: "));
  EXPECT_EQ(ErrorOf(Key("7")), "data[0].signed_leaves: expected an array, is number");
  EXPECT_EQ(ErrorOf(Key(R"([{"slot":"1"},{"slot":7}])")),
            "data[0].signed_leaves[1].slot: expected a string, is number");
  EXPECT_EQ(ErrorOf(Key(R"([{"signing_root":"0x00"}])")), "data[0].signed_leaves[0].slot: is missing");
  for (const char* slot : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(ErrorOf(Key(absl::StrCat(R"([{"slot":")", slot, R"("}])"))),
              "data[0].signed_leaves[0].slot: expected a number in decimal digits")
        << slot;
  }
  EXPECT_EQ(ErrorOf(Key(R"([{"slot":"4294967296"}])")),
            "data[0].signed_leaves[0].slot: no key has a leaf of 2^32 or more");
  EXPECT_THAT(ErrorOf(Key(R"([{"slot":"1","signing_root":"0x00"}])")),
              StartsWith("data[0].signed_leaves[0].signing_root: "));
  EXPECT_EQ(ErrorOf(Key(R"([{"slot":"1","signing_root":null}])")),
            "data[0].signed_leaves[0].signing_root: expected a string, is null");
  EXPECT_THAT(ErrorOf(Key(R"([{"slot":"1","genesis":"x"}])")),
              StartsWith("data[0].signed_leaves[0].genesis: is not known here"));
}

TEST(Interchange, AFieldThatStandsTwiceIsRefused) {
  EXPECT_EQ(ErrorOf(Key(R"([{"slot":"9"},{"slot":"9","slot":"1"}])")), "data[0].signed_leaves[1].slot: appears twice");
  EXPECT_EQ(ErrorOf(R"({"data":[],"data":[]})"), "data: appears twice");
}

TEST(Interchange, DeepNestingIsRefused) {
  EXPECT_THAT(ErrorOf(std::string(1'000'000, '[') + std::string(1'000'000, ']')), HasSubstr("nested too deeply"));
  EXPECT_THAT(ErrorOf(std::string(1'000'000, '[')), StartsWith("no JSON: "));
}

TEST(Interchange, NamesFromTheFileDoNotReachATerminalRaw) {
  const std::string error = ErrorOf("{\"\\u001b[31m\\u0007\":1}");
  for (const char c : error) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << error;
}

}  // namespace
}  // namespace lean::validator
