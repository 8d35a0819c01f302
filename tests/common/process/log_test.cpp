#include "common/process/log.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/common/process/pipe_without_reader.h"

namespace lean {
namespace {

using testing::MatchesRegex;

class LogTest : public testing::Test {
 protected:
  std::shared_ptr<spdlog::logger> Make(bool colours) {
    return MakeLog("info",
                   std::make_shared<LineWriter>(pipe_.writer(), kMaxLogBytes,
                                                [](uint64_t lines) { return absl::StrCat("dropped ", lines, "\n"); }),
                   colours);
  }

  PipeWithoutReader pipe_;
};

TEST_F(LogTest, HasALineAnEvent) {
  const auto log = Make(false);
  log->debug("unseen");
  log->info("event key={}", 1);
  EXPECT_THAT(pipe_.ReadUntil("\n"), MatchesRegex("20[0-9T:.-]+Z info    event key=1\n"));
}

TEST_F(LogTest, TakesNoOrdersFromOutside) {
  Make(false)->warn("peer name={}", "\x1b[2J\nforged\xc2\x9bm");
  EXPECT_THAT(pipe_.ReadUntil("\n"), MatchesRegex("20[0-9T:.-]+Z warning peer name= \\[2J forged  m\n"));
}

TEST_F(LogTest, ColoursTheLevelAlone) {
  Make(true)->info("a\x1b[31mb");
  EXPECT_THAT(pipe_.ReadUntil("\n"), MatchesRegex("20[0-9T:.-]+Z \x1b\\[32minfo   \x1b\\[m a \\[31mb\n"));
}

TEST_F(LogTest, TellsHowManyLinesWereDropped) {
  const auto writer = std::make_shared<LineWriter>(pipe_.writer(), kMaxLogBytes, [](uint64_t) { return "\n"; });
  const auto log = MakeLog("info", writer, /*colours=*/false);
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
