#include "validator_client/log_text.h"

#include "gtest/gtest.h"

namespace lean::validator {
namespace {

TEST(LogText, KeepsALineOneLine) { EXPECT_EQ(Printable("a\nb\r\tc\x1b[0m \"q\" 0x12…"), "a b  c [0m 'q' 0x12…"); }

TEST(LogText, KeepsATerminalFromTakingOrders) {
  EXPECT_EQ(Printable("a\xc2\x9b"
                      "31mb\xc2\xa7\xc2"),
            "a  31mb\xc2\xa7\xc2");
}

TEST(LogText, CutsLongTexts) {
  EXPECT_EQ(Printable(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(Printable(std::string(201, 'x')), std::string(200, 'x') + "...");
}

TEST(LogText, NamesTheCode) {
  EXPECT_EQ(StatusText(absl::DeadlineExceededError("late\n")), "deadline_exceeded: late ");
}

}  // namespace
}  // namespace lean::validator
