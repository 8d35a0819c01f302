// What the command lines of both programs have in common: version, log level, rules for the values of options, usage
// errors, output and exit codes.
#ifndef LEAN_COMMON_PROCESS_PROGRAM_H_
#define LEAN_COMMON_PROCESS_PROGRAM_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/log/logger.h"
#include "common/process/standard_streams.h"

namespace lean {

// Adds these rules to every option of `app`, its subcommands and its option groups. Call it when all options are there.
// - A value is not empty, and is not the next option: an unset shell variable must not count as an absent option.
// - A number (an option whose type is an unsigned integer) has decimal digits alone and at most 64 bits: CLI11 takes
//   "-1" and "99999999999999999999" for 2^64 - 1, and "010" for 8.
// - A flag takes no value.
void CheckOptionValues(CLI::App& app);

// Adds an option of several values, which are separated by commas or by naming the option again. The default is what
// `values` holds. An empty element is refused (CLI11's own delimiter drops it), as is one of which `error` tells one.
CLI::Option* AddListOption(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                           const std::string& description, const std::function<std::string(const std::string&)>& error);

// What is wrong with the arguments of a program before they are parsed; empty: nothing. "--name=" is refused here,
// since CLI11 takes the next argument for its value.
std::string EmptyOptionError(const std::vector<std::string>& arguments);

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// Lives as long as the command line that is added to app(). While it lives, std::cout goes through WriteChecked, and
// std::cerr, as the log, waits for no reader.
class Program {
 public:
  // `kind`: what it is, for its help.
  Program(const std::string& name, const std::string& kind);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  CLI::App& app() { return app_; }

  // After all options were added, to which it adds the rules of CheckOptionValues. nullopt: go on. Otherwise the exit
  // code: help or version was asked for (0), or the usage is wrong.
  std::optional<int> Parse(int argc, char** argv);

  // As --log-level says.
  std::shared_ptr<spdlog::logger> Log() const;

  // The exit code of what a command came to; an error is told on standard error, in one line. `usage`: it is in how it
  // was called. Waits for a reader of standard error no longer than LineWriter::kEndPatience.
  int Report(const absl::Status& status, bool usage = false) const;

 private:
  std::string Complaint(const CLI::ParseError& error) const;
  void Say(absl::string_view text) const;

  const std::string name_;
  const std::shared_ptr<LineWriter> errors_;
  RedirectedStream out_;
  RedirectedStream err_;
  CLI::App app_;
  std::string log_level_ = "info";
};

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_PROGRAM_H_
