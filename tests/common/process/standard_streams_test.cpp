#include "common/process/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/process/descriptors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/patience.h"
#include "tests/common/process/pipe_without_reader.h"

namespace lean {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;

constexpr size_t kMaxBytes = 64 * 1024;

std::string Note(uint64_t dropped) { return absl::StrCat("dropped ", dropped, "\n"); }

std::string Line(uint64_t number) { return absl::StrCat("line ", number, " ", std::string(100, '.'), "\n"); }

class LineWriterTest : public testing::Test {
 protected:
  // More than pipe and buffer hold; comes back, since nobody waits.
  void FillUp() {
    while (writer_.dropped() == 0) writer_.Write(Line(written_++));
  }

  PipeWithoutReader pipe_;
  LineWriter writer_{pipe_.writer(), kMaxBytes, Note};
  uint64_t written_ = 0;
};

TEST_F(LineWriterTest, WritesLinesInOrder) {
  for (int i = 0; i < 400; ++i) writer_.Write(Line(i));
  std::vector<std::string> expected;
  for (int i = 0; i < 400; ++i) expected.push_back(Line(i));
  EXPECT_EQ(pipe_.ReadUntil("line 399 ").substr(0, 20'000), absl::StrJoin(expected, "").substr(0, 20'000));
  EXPECT_EQ(writer_.dropped(), 0u);
}

TEST_F(LineWriterTest, WaitsForNoReader) {
  FillUp();
  EXPECT_FALSE(writer_.Flush(milliseconds(10)));
}

TEST_F(LineWriterTest, TellsWhatItDroppedWhenItIsReadAgain) {
  FillUp();
  for (int i = 0; i < 99; ++i) writer_.Write(Line(written_++));
  const uint64_t dropped = writer_.dropped();
  EXPECT_EQ(dropped, 100u);
  const std::string text = pipe_.ReadUntil("dropped 100\n");
  EXPECT_THAT(text, EndsWith(absl::StrCat(Line(written_ - 101), Note(100))));
  writer_.Write("on it goes\n");
  EXPECT_EQ(pipe_.ReadUntil("goes\n"), "on it goes\n");
}

TEST_F(LineWriterTest, CountsWhatNobodyCanReadAnyMore) {
  pipe_.CloseReader();
  writer_.Write("one\ntwo\n");
  EXPECT_TRUE(writer_.Flush(kPatience));
  EXPECT_EQ(writer_.dropped(), 2u);
}

TEST_F(LineWriterTest, WritesToTheSameFileAfterTheCallerClosedIt) {
  const PipeWithoutReader other;
  const int number = pipe_.writer();
  for (int i = 0; i < 400; ++i) writer_.Write(Line(i));
  pipe_.CloseWriter();
  const Descriptor reused(dup2(other.writer(), number));
  ASSERT_EQ(reused.get(), number);
  EXPECT_THAT(pipe_.ReadUntil("line 399 "), HasSubstr("line 399 "));
  EXPECT_EQ(writer_.dropped(), 0u);
}

TEST_F(LineWriterTest, WritesLinesThatAreLongerThanAPipe) {
  const std::string line = absl::StrCat(std::string(20'000, 'x'), "\n");
  writer_.Write(line);
  EXPECT_EQ(pipe_.ReadUntil("\n"), line);
}

TEST_F(LineWriterTest, TakesLinesFromManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int j = 0; j < 100; ++j) writer_.Write(absl::StrCat("thread ", i, " line ", j, "\n"));
    });
  }
  for (std::thread& thread : threads) thread.join();
  writer_.Write("end\n");
  const std::string text = pipe_.ReadUntil("end\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 401);
}

TEST(LineWriterEnd, IsBoundedWhereNobodyReads) {
  PipeWithoutReader pipe;
  auto ended = std::make_shared<std::promise<void>>();
  std::future<void> end = ended->get_future();
  std::shared_ptr<void> held(nullptr, [ended](void*) { ended->set_value(); });
  const auto start = std::chrono::steady_clock::now();
  {
    LineWriter writer(pipe.writer(), kMaxBytes, [held = std::move(held)](uint64_t dropped) { return Note(dropped); });
    while (writer.dropped() == 0) writer.Write(Line(0));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, LineWriter::kEndPatience);
  EXPECT_EQ(end.wait_for(milliseconds(0)), std::future_status::timeout);
  // Whoever is left behind ends when its pipe does, and touches nothing of the writer.
  pipe.CloseReader();
  EXPECT_EQ(end.wait_for(kPatience), std::future_status::ready);
}

TEST(LineWriterEnd, WritesWhatWaits) {
  PipeWithoutReader pipe;
  { LineWriter(pipe.writer(), kMaxBytes, Note).Write("last words\n"); }
  EXPECT_EQ(pipe.ReadUntil("\n"), "last words\n");
}

TEST(RedirectedStream, HandsOverWhatIsFlushed) {
  std::string taken;
  std::ostringstream stream;
  {
    const RedirectedStream redirected(stream, [&taken](absl::string_view text) {
      taken += std::string(text);
      return true;
    });
    stream << "a" << 1 << '\n';
    EXPECT_EQ(taken, "");
    stream << std::flush;
    EXPECT_EQ(taken, "a1\n");
    stream << "b";
  }
  EXPECT_EQ(taken, "a1\nb");
  stream << "c";
  EXPECT_EQ(stream.str(), "c");
}

TEST(RedirectedStream, GoesBadWithWhatItWritesTo) {
  std::ostringstream stream;
  const RedirectedStream redirected(stream, [](absl::string_view) { return false; });
  stream << "a" << std::flush;
  EXPECT_FALSE(stream.good());
}

TEST(WriteChecked, LeavesOutWhatCommandsATerminal) {
  PipeWithoutReader pipe;
  EXPECT_TRUE(WriteChecked(pipe.writer(), "a\tb\n\x1b]0;title\x07 c\r\n"));
  EXPECT_EQ(pipe.ReadUntil("c"), "a\tb\n ]0;title  c \n");
}

TEST(WriteChecked, TellsThatADiskIsFull) {
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(WriteChecked(full.get(), "text\n"));
}

}  // namespace

}  // namespace lean
