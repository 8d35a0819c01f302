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
// RETURN_IF_ERROR(expr, error): returns `error` instead, an expression in which `_` is the absl::Status. It is
// evaluated only if there is an error. The function may return any type, or void.
//   RETURN_IF_ERROR(CheckContent(keystore), InFile(path, _));
#define RETURN_IF_ERROR(...) \
  LEAN_STATUS_THIRD_(__VA_ARGS__, LEAN_RETURN_ERROR_, LEAN_RETURN_STATUS_, unused)(__VA_ARGS__)

// ASSIGN_OR_RETURN(lhs, rexpr): assigns the value of the absl::StatusOr `rexpr` to `lhs`, or returns its error from the
// enclosing function. `rexpr` is evaluated once. `lhs` declares a variable or names one that exists. Expands to several
// statements: not the body of an `if` without braces.
//   ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
//   ASSIGN_OR_RETURN(config.genesis_time, ReadNumber(root, "GENESIS_TIME"));
// ASSIGN_OR_RETURN(lhs, rexpr, error): returns `error` instead, as above.
//   ASSIGN_OR_RETURN(const Keystore keystore, ParseKeystore(text), InFile(path, _));
#define ASSIGN_OR_RETURN(lhs, ...)                                                                     \
  LEAN_STATUS_THIRD_(__VA_ARGS__, LEAN_ASSIGN_OR_RETURN_ERROR_, LEAN_ASSIGN_OR_RETURN_STATUS_, unused) \
  (LEAN_STATUS_CONCAT_(lean_status_or_, __LINE__), lhs, __VA_ARGS__)

// An argument with a comma outside parentheses, such as that of a template, needs parentheses; `lhs` takes `auto` then.

#define LEAN_RETURN_STATUS_(expr)                                                 \
  do {                                                                            \
    if (absl::Status lean_status = (expr); !lean_status.ok()) return lean_status; \
  } while (false)

#define LEAN_RETURN_ERROR_(expr, error)                          \
  do {                                                           \
    if (const absl::Status& _ = (expr); !_.ok()) return (error); \
  } while (false)

#define LEAN_ASSIGN_OR_RETURN_STATUS_(status_or, lhs, rexpr) \
  auto status_or = (rexpr);                                  \
  if (!status_or.ok()) return std::move(status_or).status(); \
  lhs = *std::move(status_or)

#define LEAN_ASSIGN_OR_RETURN_ERROR_(status_or, lhs, rexpr, error) \
  auto status_or = (rexpr);                                        \
  if (!status_or.ok()) {                                           \
    [[maybe_unused]] const absl::Status& _ = status_or.status();   \
    return (error);                                                \
  }                                                                \
  lhs = *std::move(status_or)

#define LEAN_STATUS_THIRD_(first, second, third, ...) third
#define LEAN_STATUS_CONCAT_(a, b) LEAN_STATUS_CONCAT_INNER_(a, b)
#define LEAN_STATUS_CONCAT_INNER_(a, b) a##b

#endif  // LEAN_COMMON_STATUS_STATUS_MACROS_H_
