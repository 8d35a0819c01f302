#include "common/log/log_line.h"

#include "gtest/gtest.h"

namespace lean {
namespace {

std::string Json(const char* text) { return JsonLine("T", "info", "", text); }

TEST(LogLine, JsonHasAnEntryForEachField) {
  EXPECT_EQ(Json("beacon_started name=one slot=-3"),
            R"({"time":"T","level":"info","event":"beacon_started","name":"one","slot":"-3"})");
  EXPECT_EQ(Json("votes failed slot=3 reason=\"a=b, c\" last="),
            R"({"time":"T","level":"info","event":"votes failed","slot":"3","reason":"a=b, c","last":""})");
}

TEST(LogLine, JsonNamesThePart) {
  EXPECT_EQ(JsonLine("T", "info", "sync", "done"), R"({"time":"T","level":"info","part":"sync","message":"done"})");
}

TEST(LogLine, JsonKeepsTextThatIsNoField) {
  EXPECT_EQ(Json("secrets not locked"), R"({"time":"T","level":"info","message":"secrets not locked"})");
  EXPECT_EQ(Json(""), R"({"time":"T","level":"info"})");
  EXPECT_EQ(Json("a=1"), R"({"time":"T","level":"info","a":"1"})");
  EXPECT_EQ(Json("clocks differ offset_ms=+9: check the time"),
            R"({"time":"T","level":"info","event":"clocks differ","offset_ms":"+9:","message":"check the time"})");
}

TEST(LogLine, JsonEscapes) {
  EXPECT_EQ(Json("odd path=C:\\x quote=a\"b"),
            R"({"time":"T","level":"info","event":"odd","path":"C:\\x","quote":"a\"b"})");
  EXPECT_EQ(Json("open text=\"never closed"), R"({"time":"T","level":"info","event":"open","text":"never closed"})");
}

TEST(LogLine, FieldsOfShortEventsAreAligned) {
  EXPECT_EQ(Aligned("head slot=3"), "head" + std::string(20, ' ') + "slot=3");
  EXPECT_EQ(Aligned("an_event_with_a_very_long_name slot=3"), "an_event_with_a_very_long_name slot=3");
  EXPECT_EQ(Aligned("only words"), "only words");
}

TEST(LogLine, NumbersAreLeftOutButNotAddresses) {
  EXPECT_EQ(
      WithoutNumbers("not usable beacon=127.0.0.1:38125 slot=8 reason=\"slot 8 is over, no answer within 199 ms\""),
      "not usable beacon=127.0.0.1:38125 slot= reason=\"slot  is over, no answer within  ms\"");
  EXPECT_EQ(WithoutNumbers("odd root=0x12ab…9f host=[::1]:9 name=node2 count=7. 3"),
            "odd root=0x12ab…9f host=[::1]:9 name=node2 count=. ");
  EXPECT_EQ(WithoutNumbers(""), "");
}

}  // namespace
}  // namespace lean
