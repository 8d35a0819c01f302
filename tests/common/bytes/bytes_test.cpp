#include "common/bytes/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lean {
namespace {

using ::testing::HasSubstr;

TEST(HexTest, PrintsPrefixAndLowerCase) {
  const uint8_t bytes[] = {0x00, 0xAB, 0x0f};
  EXPECT_EQ(ToHex(bytes), "0x00ab0f");
}

TEST(HexTest, ShortFormKeepsFirstTwoAndLastByte) {
  Root root;
  root.data[0] = 0x12;
  root.data[1] = 0xab;
  root.data[31] = 0xcd;
  EXPECT_EQ(ShortHex(root.span()), "0x12ab…cd");
}

TEST(HexTest, ParsesWhatItPrints) {
  Root root;
  for (size_t i = 0; i < root.data.size(); ++i) root.data[i] = static_cast<uint8_t>(i * 7);
  EXPECT_EQ(*ParseFixedHex<Root>(ToHex(root.span())), root);
  EXPECT_EQ(*ParseFixedHex<Root>(ToHex(root.span()).substr(2)), root) << "the prefix is optional";
}

TEST(HexTest, RefusesWhatIsNotHex) {
  EXPECT_THAT(ParseHex("0x123").status().message(), HasSubstr("odd"));
  EXPECT_THAT(ParseHex("0x12g4").status().message(), HasSubstr("character 2"));
  EXPECT_THAT(ParseFixedHex<Root>("0x12").status().message(), HasSubstr("expected 32 bytes"));
}

TEST(BytesTest, OrderIsLexicographic) {
  Root low, high;
  low.data[31] = 0xff;
  high.data[0] = 1;
  EXPECT_LT(low, high);
  EXPECT_TRUE(Root{}.IsZero());
  EXPECT_FALSE(low.IsZero());
}

}  // namespace
}  // namespace lean
