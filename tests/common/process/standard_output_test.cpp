#include "common/process/standard_output.h"

#include <fcntl.h>

#include <sstream>
#include <string>

#include "common/process/descriptors.h"
#include "gtest/gtest.h"
#include "tests/common/process/pipe_without_reader.h"

namespace lean {
namespace {

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
