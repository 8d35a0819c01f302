#include "common/config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lean {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(Yaml, ReadsMapsListsTextAndNumbers) {
  const YamlValue root = YamlValue::Parse("a: 7\nb:\n  - x\n  - \"0012\"\n", "f.yaml").value();
  EXPECT_EQ(root.Field("a", "").value().Number(0, 10).value(), 7u);
  const std::vector<YamlValue> items = root.Field("b", "").value().Items(2).value();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].Text().value(), "x");
  EXPECT_EQ(items[1].Text().value(), "0012");
  EXPECT_EQ(items[1].line(), 4);
  EXPECT_FALSE(root.OptionalField("c").value().has_value());
}

TEST(Yaml, ErrorsNameFileLineAndField) {
  const YamlValue root = YamlValue::Parse("a: seven\nlist:\n  - - 1\n", "f.yaml").value();
  EXPECT_EQ(Message(root.Field("a", "").value().Number(0, 10).status()),
            "f.yaml:1: a: expected a whole number from 0 to 10, got \"seven\"");
  EXPECT_EQ(Message(root.Field("list", "").value().Items(10).value()[0].Text().status()),
            "f.yaml:3: list[0]: expected a single value");
  EXPECT_EQ(Message(root.Field("b", "how many").status()), "f.yaml:1: b is missing: add it (how many)");
  EXPECT_EQ(Message(root.Items(1).status()), "f.yaml:1: expected a list");
  EXPECT_EQ(Message(root.Field("a", "").value().Fields().status()), "f.yaml:1: a: expected a map of `name: value`");
}

TEST(Yaml, NumbersAreHeldToTheirRange) {
  for (const char* text : {"", "-1", "11", "1.5", "0x5", "18446744073709551616", "5 6", "~", "+5", "010", "\" 5\""}) {
    const YamlValue root = YamlValue::Parse(std::string("a: ") + text, "f.yaml").value();
    EXPECT_TRUE(absl::IsInvalidArgument(root.Field("a", "").value().Number(1, 10).status())) << text;
  }
}

TEST(Yaml, AnEmptyValueKnowsItsLine) {
  const YamlValue root = YamlValue::Parse("a: 1\n\nb:\n", "f.yaml").value();
  EXPECT_THAT(Message(root.Field("b", "").value().Text().status()), StartsWith("f.yaml:3: b: "));
}

TEST(Yaml, ANameThatStandsTwiceIsRefused) {
  const YamlValue root = YamlValue::Parse("a: 1\na: 2\n", "f.yaml").value();
  EXPECT_EQ(Message(root.Fields().status()), "f.yaml:2: a: stands here twice: keep one");
}

TEST(Yaml, AFieldThatIsNotKnownIsRefused) {
  const YamlValue root = YamlValue::Parse("a: 1\nenabled: false\n", "f.yaml").value();
  EXPECT_TRUE(root.CheckFields({"a", "enabled"}).ok());
  EXPECT_EQ(Message(root.CheckFields({"a", "b"})), "f.yaml:2: enabled: unknown field: known are a, b");
}

TEST(Yaml, FieldsThatAreNotKnownMakeOneWarning) {
  const YamlValue root = YamlValue::Parse("a: 1\nb: 2\nc: 3\n", "f.yaml").value();
  EXPECT_EQ(root.UnknownFields({"a", "b", "c"}).value(), "");
  EXPECT_EQ(root.UnknownFields({"a"}).value(), "f.yaml:2: b: unknown field, not used, nor is c");
  std::string many;
  for (char name = 'a'; name <= 'z'; ++name) many += std::string(1, name) + ": 1\n";
  EXPECT_EQ(YamlValue::Parse(many, "f.yaml").value().UnknownFields({}).value(),
            "f.yaml:1: a: unknown field, not used, nor is b, nor is c, nor is d, nor is e, nor are 21 more");
}

TEST(Yaml, ASecondDocumentIsRefused) {
  EXPECT_EQ(Message(YamlValue::Parse("a: 1\n---\na: 2\n", "f.yaml").status()),
            "f.yaml:3: another document begins here: the file may hold one");
  EXPECT_TRUE(YamlValue::Parse("---\na: 1\n---\n", "f.yaml").ok()) << "nothing follows";
  EXPECT_TRUE(YamlValue::Parse("---\na: 1\n...\n", "f.yaml").ok());
}

TEST(Yaml, AStrayBracketOrCommaIsRefused) {
  for (const char* text : {"]", "}", ",]", "a: 1\n]\n", "- 0\n\n\x01\x04]\n", "---\n]", "a: [1]]"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(YamlValue::Parse(text, "f.yaml").status())) << text;
  }
}

TEST(Yaml, ErrorsShowLittleOfTheFile) {
  const std::string secret(1000, 's');
  const YamlValue root = YamlValue::Parse("a: " + secret + "\n" + secret + ": 1\n", "f.yaml").value();
  EXPECT_LT(Message(root.Field("a", "").value().Number(0, 1).status()).size(), 200u);
  EXPECT_LT(Message(root.CheckFields({"a"})).size(), 200u);
  EXPECT_THAT(Message(YamlValue::Parse("a: *" + secret, "f.yaml").status()), testing::Not(HasSubstr(secret)));
}

TEST(Yaml, ListsAreBounded) {
  const YamlValue root = YamlValue::Parse("[1, 2, 3]", "f.yaml").value();
  EXPECT_EQ(Message(root.Items(2).status()), "f.yaml:1: the list has 3 items, at most 2 are allowed");
}

TEST(Yaml, WhatIsNotYamlIsAnErrorWithItsLine) {
  EXPECT_THAT(Message(YamlValue::Parse("a: 1\nb: [1,\n", "f.yaml").status()), StartsWith("f.yaml:3: not valid YAML: "));
  EXPECT_THAT(Message(YamlValue::Parse("a: *none\n", "f.yaml").status()), HasSubstr("f.yaml:1: not valid YAML: "));
  EXPECT_FALSE(YamlValue::Parse(std::string(100'000, '['), "f.yaml").ok());
  EXPECT_FALSE(YamlValue::Parse("\x80\xff: [", "f.yaml").ok());
}

TEST(Yaml, AnEmptyFileIsNoMap) {
  EXPECT_EQ(Message(YamlValue::Parse("", "f.yaml").value().Fields().status()),
            "f.yaml:1: expected a map of `name: value`");
}

TEST(Yaml, AMapThatIsItsOwnNameIsRefused) {
  EXPECT_FALSE(YamlValue::Parse("? [1, 2]\n: 3\n", "f.yaml").value().Fields().ok());
}

}  // namespace
}  // namespace lean
