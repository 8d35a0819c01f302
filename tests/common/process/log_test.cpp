#include "common/process/log.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/clock/manual_clock.h"
#include "common/log/line_limit.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/common/process/pipe_without_reader.h"

namespace lean {
namespace {

using testing::MatchesRegex;

class LogTest : public testing::Test {
 protected:
  std::shared_ptr<spdlog::logger> Make(LogForm form) {
    return MakeLog(LogLevels(), form,
                   std::make_shared<LineWriter>(pipe_.writer(), kMaxLogBytes,
                                                [](uint64_t lines) { return absl::StrCat("dropped ", lines, "\n"); }),
                   clock_);
  }

  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(0);
  PipeWithoutReader pipe_;
};

TEST_F(LogTest, HasALineAnEvent) {
  const auto log = Make(LogForm::kText);
  log->debug("unseen");
  log->info("event key={}", 1);
  EXPECT_THAT(pipe_.ReadUntil("\n"), MatchesRegex("20[0-9T:.-]+Z info    event key=1\n"));
}

TEST_F(LogTest, TakesNoOrdersFromOutside) {
  Make(LogForm::kText)->warn("peer name={}", "\x1b[2J\nforged\xc2\x9bm");
  EXPECT_THAT(pipe_.ReadUntil("\n"), MatchesRegex("20[0-9T:.-]+Z warning peer name= \\[2J forged  m\n"));
}

TEST_F(LogTest, HasColumnsAndColoursOnATerminal) {
  Make(LogForm::kTerminal)->info("a\x1b[31mb key=1");
  EXPECT_THAT(pipe_.ReadUntil("\n"), MatchesRegex("20[0-9T:.-]+Z \x1b\\[32minfo   \x1b\\[m a \\[31mb {17}key=1\n"));
}

TEST_F(LogTest, IsJsonIfAsked) {
  Make(LogForm::kJson)->warn("peer name=\"{}\" slot={}", "a \\ b", 7);
  EXPECT_THAT(
      pipe_.ReadUntil("\n"),
      MatchesRegex("\\{\"time\":\"20[0-9T:.-]+Z\",\"level\":\"warning\",\"event\":\"peer\",\"name\":\"a \\\\\\\\ "
                   "b\",\"slot\":\"7\"\\}\n"));
}

TEST_F(LogTest, WritesWarningsOfOneCauseOnceAMinute) {
  const auto log = Make(LogForm::kText);
  for (int slot = 1; slot <= 20; ++slot) log->warn("passed over slot={} reason=\"slot {} is over\"", slot, slot);
  log->warn("passed over slot=1 reason=\"another\"");
  EXPECT_THAT(pipe_.ReadUntil("another\"\n"), MatchesRegex("[^\n]+ passed over slot=1 reason=\"slot 1 is over\"\n"
                                                           "[^\n]+ passed over slot=1 reason=\"another\"\n"));
  clock_->Advance(LineLimit::kPeriod);
  log->info("end");
  EXPECT_THAT(
      pipe_.ReadUntil("end\n"),
      MatchesRegex("[^\n]+ warning lines_left_out lines=19 seconds=59 like=\"passed over slot= reason='slot  is "
                   "over'\"\n[^\n]+ end\n"));
}

TEST_F(LogTest, WritesEachFailedDutyAndEachEvent) {
  const auto log = Make(LogForm::kText);
  for (const int slot : {1, 2, 2}) log->error("votes failed slot={} reason=\"down\"", slot);
  for (int i = 0; i < 2; ++i) log->info("engine attached");
  log->info("end");
  EXPECT_THAT(pipe_.ReadUntil("end\n"),
              MatchesRegex("[^\n]+ votes failed slot=1 reason=\"down\"\n[^\n]+ votes failed slot=2 reason=\"down\"\n"
                           "[^\n]+ engine attached\n[^\n]+ engine attached\n[^\n]+ end\n"));
}

TEST_F(LogTest, LinesThatALimitWritesOnceAMinuteAreNotLeftOut) {
  const auto log = Make(LogForm::kText);
  log->warn("lines_left_out cause=refused lines=9 seconds=60");
  clock_->Advance(LineLimit::kPeriod - std::chrono::milliseconds(1));
  log->warn("lines_left_out cause=refused lines=9 seconds=60");
  log->info("end");
  EXPECT_THAT(pipe_.ReadUntil("end\n"), MatchesRegex("[^\n]+ lines=9 [^\n]+\n[^\n]+ lines=9 [^\n]+\n[^\n]+ end\n"));
}

TEST_F(LogTest, RemembersABoundedNumberOfLines) {
  const auto log = Make(LogForm::kText);
  for (size_t line = 0; line < kMostRepeated; ++line) log->error("distinct {}", line);
  for (int i = 0; i < 2; ++i) log->error("one more");
  log->error("distinct 0");
  log->info("end");
  const std::string lines = pipe_.ReadUntil("end\n");
  EXPECT_THAT(lines, MatchesRegex(".* one more\n[^\n]+ one more\n[^\n]+ end\n"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), static_cast<std::ptrdiff_t>(kMostRepeated + 3));
}

TEST_F(LogTest, PartsHaveLevelsOfTheirOwn) {
  const auto log = Make(LogForm::kJson);
  const auto sync = PartLog(log, "sync");
  const auto network = PartLog(log, "network");
  sync->debug("unseen");
  SetLogLevels(*log, ParseLogLevels("warn,sync=debug", {"sync", "network"}).value());
  network->info("unseen");
  log->info("unseen");
  sync->debug("seen");
  EXPECT_THAT(pipe_.ReadUntil("\n"), testing::HasSubstr(R"("level":"debug","part":"sync","message":"seen"})"));
  SetLogLevels(*log, LogLevels());
  sync->debug("unseen");
  PartLog(log, "later")->info("last");
  EXPECT_THAT(pipe_.ReadUntil("\n"), testing::HasSubstr(R"("part":"later","message":"last"})"));
}

TEST(LogLevelsTest, AreOfTheProgramAndOfParts) {
  const std::vector<std::string> parts = {"sync", "network"};
  const LogLevels levels = ParseLogLevels("warn,sync=debug, network=error", parts).value();
  EXPECT_EQ(levels.all, spdlog::level::warn);
  EXPECT_EQ(levels.parts.at("sync"), spdlog::level::debug);
  EXPECT_EQ(levels.parts.at("network"), spdlog::level::err);
  for (const char* wrong : {"", "loud", "sync=debug", "info,sync", "info,sync=loud", "info,snyc=debug", "info,"}) {
    EXPECT_FALSE(ParseLogLevels(wrong, parts).ok()) << wrong;
  }
}

TEST_F(LogTest, TellsHowManyLinesWereDropped) {
  const auto writer = std::make_shared<LineWriter>(pipe_.writer(), kMaxLogBytes, [](uint64_t) { return "\n"; });
  const auto log = MakeLog(LogLevels(), LogForm::kText, writer, clock_);
  EXPECT_EQ(DroppedLogLines(*log), 0u);
  pipe_.CloseReader();
  log->info("one");
  log->info("two");
  EXPECT_TRUE(writer->Flush(kPatience));
  EXPECT_EQ(DroppedLogLines(*log), 2u);
  EXPECT_EQ(DroppedLogLines(spdlog::logger("of another make")), 0u);
}

}  // namespace
}  // namespace lean
