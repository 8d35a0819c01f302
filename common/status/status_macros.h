// Macros that return the error of a called function.
//
// These are ours because Debian's Abseil (20220623) and protobuf (3.21) install no such macros. They have the names and
// the meaning of the ones in Google's open-source projects.
#ifndef LEAN_COMMON_STATUS_STATUS_MACROS_H_
#define LEAN_COMMON_STATUS_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"  // IWYU pragma: export

// RETURN_IF_ERROR(expr): returns the absl::Status `expr` from the enclosing function if it is not OK. `expr` is
// evaluated once. The function returns an absl::Status or an absl::StatusOr.
//   RETURN_IF_ERROR(file.Write(text));
#define RETURN_IF_ERROR(...)                                                             \
  do {                                                                                   \
    if (absl::Status lean_status = (__VA_ARGS__); !lean_status.ok()) return lean_status; \
  } while (false)

// ASSIGN_OR_RETURN(lhs, rexpr): assigns the value of the absl::StatusOr `rexpr` to `lhs`, or returns its error from the
// enclosing function. `rexpr` is evaluated once. `lhs` declares a variable or names one that exists; it contains no
// comma outside parentheses (use `auto` for such a type). Expands to several statements: not the body of an `if`
// without braces.
//   ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
//   ASSIGN_OR_RETURN(config.genesis_time, ReadNumber(root, "GENESIS_TIME"));
#define ASSIGN_OR_RETURN(lhs, ...) \
  LEAN_ASSIGN_OR_RETURN_(LEAN_STATUS_CONCAT_(lean_status_or_, __LINE__), lhs, __VA_ARGS__)

#define LEAN_ASSIGN_OR_RETURN_(status_or, lhs, ...)          \
  auto status_or = (__VA_ARGS__);                            \
  if (!status_or.ok()) return std::move(status_or).status(); \
  lhs = *std::move(status_or)

#define LEAN_STATUS_CONCAT_(a, b) LEAN_STATUS_CONCAT_INNER_(a, b)
#define LEAN_STATUS_CONCAT_INNER_(a, b) a##b

#endif  // LEAN_COMMON_STATUS_STATUS_MACROS_H_
