#include "common/log/log_text.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace lean {
namespace {

TEST(LogText, KeepsALineOneLine) { EXPECT_EQ(Printable("a\nb\r\tc\x1b[0m \"q\" 0x12…"), "a b  c [0m 'q' 0x12…"); }

TEST(LogText, KeepsATerminalFromTakingOrders) {
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "31mb\xc2\xa7"),
            "a  31mb\xc2\xa7");
}

TEST(LogText, KeepsTheOrderOfALine) { EXPECT_EQ(WithoutControls("a\u202eb\u2066c\u2028d"), "a   b   c   d"); }

TEST(LogText, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(WithoutControls("\x9b"
                            "31m"),
            "?31m");                                       // a control character in Latin-1
  EXPECT_EQ(WithoutControls("\xc0\x9b"), "??");            // longer than it need be
  EXPECT_EQ(WithoutControls("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(WithoutControls("\xf4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(WithoutControls("a\xe2\x80"), "a??");          // cut short
}

TEST(LogText, KeepsOtherCharacters) {
  const std::string text = "äöü € 😀 \"quoted\"";
  EXPECT_EQ(WithoutControls(text), text);
}

TEST(LogText, CutsLongTexts) {
  EXPECT_EQ(Printable(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(Printable(std::string(201, 'x')), absl::StrCat(std::string(200, 'x'), "..."));
}

TEST(LogText, NamesTheCode) {
  EXPECT_EQ(StatusText(absl::DeadlineExceededError("late\n")), "deadline_exceeded: late ");
}

}  // namespace
}  // namespace lean
