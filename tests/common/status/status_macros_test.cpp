#include "common/status/status_macros.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace lean {
namespace {

absl::Status Counted(int& calls, absl::Status status) {
  ++calls;
  return status;
}

absl::Status PassOn(int& calls, bool& reached, const absl::Status& status) {
  RETURN_IF_ERROR(Counted(calls, status));
  reached = true;
  return absl::OkStatus();
}

absl::StatusOr<int> AsStatusOr(const absl::Status& status) {
  RETURN_IF_ERROR(status);
  return 7;
}

TEST(ReturnIfError, ReturnsTheErrorAndEvaluatesOnce) {
  int calls = 0;
  bool reached = false;
  EXPECT_EQ(PassOn(calls, reached, absl::NotFoundError("none")), absl::NotFoundError("none"));
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(reached);
}

TEST(ReturnIfError, GoesOnWhenOkAndEvaluatesOnce) {
  int calls = 0;
  bool reached = false;
  EXPECT_TRUE(PassOn(calls, reached, absl::OkStatus()).ok());
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(reached);
}

TEST(ReturnIfError, ReturnsFromAFunctionOfStatusOr) {
  EXPECT_EQ(AsStatusOr(absl::InternalError("broken")).status(), absl::InternalError("broken"));
  EXPECT_EQ(*AsStatusOr(absl::OkStatus()), 7);
}

absl::Status InFile(int& calls, const absl::Status& status) {
  ++calls;
  return absl::Status(status.code(), absl::StrCat("file: ", status.message()));
}

TEST(ReturnIfError, ReturnsTheOtherErrorAndEvaluatesItOnlyThen) {
  int calls = 0;
  const auto read = [&](const absl::Status& status) -> absl::StatusOr<int> {
    RETURN_IF_ERROR(status, InFile(calls, _));
    return 7;
  };
  EXPECT_EQ(*read(absl::OkStatus()), 7);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(read(absl::NotFoundError("none")).status(), absl::NotFoundError("file: none"));
  EXPECT_EQ(calls, 1);
}

TEST(ReturnIfError, ReturnsFromAFunctionOfAnotherType) {
  std::string told;
  const auto tell = [&](const absl::Status& status) {
    RETURN_IF_ERROR(status, void(told = std::string(_.message())));
    told = "fine";
  };
  tell(absl::InternalError("broken"));
  EXPECT_EQ(told, "broken");
  tell(absl::OkStatus());
  EXPECT_EQ(told, "fine");
}

TEST(ReturnIfError, IsOneStatementWithoutBraces) {
  const auto check = [](bool strict) -> absl::Status {
    if (strict)
      RETURN_IF_ERROR(absl::InternalError("strict"));
    else
      return absl::NotFoundError("lax");
    return absl::OkStatus();
  };
  EXPECT_EQ(check(true), absl::InternalError("strict"));
  EXPECT_EQ(check(false), absl::NotFoundError("lax"));
}

absl::StatusOr<std::unique_ptr<int>> Make(int& calls, absl::StatusOr<int> value) {
  ++calls;
  RETURN_IF_ERROR(value.status());
  return std::make_unique<int>(*value);
}

absl::Status Sum(int& calls, const absl::StatusOr<int>& a, const absl::StatusOr<int>& b, int& sum) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Make(calls, a));
  std::unique_ptr<int> second;
  ASSIGN_OR_RETURN(second, Make(calls, b));
  sum = *first + *second;
  return absl::OkStatus();
}

TEST(AssignOrReturn, MovesTheValueIntoANewOrAnExistingVariable) {
  int calls = 0;
  int sum = 0;
  EXPECT_TRUE(Sum(calls, 2, 3, sum).ok());
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(calls, 2);
}

TEST(AssignOrReturn, ReturnsTheErrorAndLeavesTheVariable) {
  int calls = 0;
  int sum = 11;
  EXPECT_EQ(Sum(calls, absl::NotFoundError("a"), 3, sum), absl::NotFoundError("a"));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(Sum(calls, 2, absl::NotFoundError("b"), sum), absl::NotFoundError("b"));
  EXPECT_EQ(sum, 11);
}

TEST(AssignOrReturn, ReturnsTheOtherErrorAndEvaluatesItOnlyThen) {
  int calls = 0;
  int inner = 0;
  const auto read = [&](const absl::StatusOr<int>& value) -> absl::StatusOr<int> {
    ASSIGN_OR_RETURN(const std::unique_ptr<int> made, Make(inner, value), InFile(calls, _));
    return *made;
  };
  EXPECT_EQ(*read(7), 7);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(read(absl::NotFoundError("none")).status(), absl::NotFoundError("file: none"));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(inner, 2);
}

absl::StatusOr<std::map<std::string, int>> OneEntry(const std::string& key, int value) {
  return std::map<std::string, int>{{key, value}};
}

TEST(AssignOrReturn, TakesCommasInTheExpression) {
  const auto first_value = []() -> absl::StatusOr<int> {
    ASSIGN_OR_RETURN(const auto entries, OneEntry(std::pair<std::string, int>{"a", 4}.first, 4));
    return entries.at("a");
  };
  EXPECT_EQ(*first_value(), 4);
}

}  // namespace
}  // namespace lean
