// What the command lines of both programs have in common: version, log level, usage errors and exit codes.
#ifndef LEAN_COMMON_PROCESS_PROGRAM_H_
#define LEAN_COMMON_PROCESS_PROGRAM_H_

#include <memory>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/log/logger.h"

namespace lean {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// Lives as long as the command line that is added to app().
class Program {
 public:
  // `kind`: what it is, for its help.
  Program(const std::string& name, const std::string& kind);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  CLI::App& app() { return app_; }

  // nullopt: go on. Otherwise the exit code: help or version was asked for (0), or the usage is wrong.
  std::optional<int> Parse(int argc, char** argv);

  // As --log-level says. InvalidArgument: that is no level; a mistake of usage.
  absl::StatusOr<std::shared_ptr<spdlog::logger>> Log() const;

  // The exit code of what a command came to; an error is told on standard error. `usage`: it is in how it was called.
  int Report(const absl::Status& status, bool usage = false) const;

 private:
  const std::string name_;
  CLI::App app_;
  std::string log_level_ = "info";
};

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_PROGRAM_H_
