// The common parts of the command lines of both programs: version, log level, rules for the values of options, usage
// errors, output and exit codes.
#ifndef LEAN_COMMON_PROCESS_PROGRAM_H_
#define LEAN_COMMON_PROCESS_PROGRAM_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/config/settings.h"
#include "common/log/logger.h"
#include "common/process/log.h"
#include "common/process/standard_streams.h"

namespace lean {

// Adds these rules to every option of `app`, its subcommands and its option groups. Call it after all options were
// added.
// - A value is not empty, and is not the next option: an unset shell variable must not count as an absent option.
// - A number (an option whose type is an unsigned integer) has decimal digits alone and at most 64 bits: CLI11 takes
//   "-1" and "99999999999999999999" for 2^64 - 1, and "010" for 8.
// - A flag takes no value.
void CheckOptionValues(CLI::App& app);

// Adds an option with several values, which are separated by commas or given by repeating the option. The default is
// the content of `values`. Refuses empty elements, which CLI11's own delimiter drops, and elements for which `error`
// returns a text.
CLI::Option* AddListOption(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                           const std::string& description, const std::function<std::string(const std::string&)>& error);

// Checks the arguments of a program before they are parsed. Returns what is wrong, or an empty string. Refuses
// "--name=", for which CLI11 would take the next argument as the value.
std::string EmptyOptionError(const std::vector<std::string>& arguments);

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// Must live as long as the options that are added to app(). While it lives, std::cout goes through WriteChecked, and
// neither std::cerr nor the log waits for a reader.
class Program {
 public:
  // `kind`: what the program is, for its help. `parts`: of its log (PartLog).
  Program(const std::string& name, const std::string& kind, std::vector<std::string> parts = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  CLI::App& app() { return app_; }

  // Adds a command that runs a service; its options are settings (Settings). Also adds a command that takes the same
  // options and prints the effective settings: `config check` for the first service, `config check-NAME` for a further
  // one. `add_options` is called for both commands, with the same variables.
  CLI::App& AddService(const std::string& name, const std::string& description,
                       const std::function<void(CLI::App& command)>& add_options);

  // Call it after all options were added. Adds the rules of CheckOptionValues. Returns nullopt if the program
  // continues; otherwise the exit code: 0 after help, version or `config check`, kExitUsage after a usage error.
  std::optional<int> Parse(int argc, char** argv);

  // The log with the levels of --log-level, in the form of --log-format. If there is a file of settings, a thread reads
  // it again within a second after it has changed, and sets the levels that it now contains. Call it once.
  std::shared_ptr<spdlog::logger> Log();

  // Prints the error of a command as one line on standard error, in JSON if the log is, and returns the exit code.
  // `usage`: it is a usage error. Waits for a reader of standard error no longer than LineWriter::kEndPatience.
  int Report(const absl::Status& status, bool usage = false) const;

 private:
  std::string Complaint(const CLI::ParseError& error, const CLI::App& command) const;
  void Say(absl::string_view text) const;
  // Follows the file of settings until `stop`.
  void FollowLevels(const std::stop_token& stop, spdlog::logger& log);
  // The level by the arguments, the environment and the present content of the file of settings.
  absl::StatusOr<std::string> LevelNow();

  const std::string name_;
  const std::vector<std::string> parts_;
  std::string log_level_;
  const std::shared_ptr<std::atomic<LogForm>> form_;  // of the log
  const std::shared_ptr<LineWriter> errors_;
  RedirectedStream out_;
  RedirectedStream err_;
  CLI::App app_;
  Settings settings_;
  CLI::App* config_ = nullptr;           // the command above the checks, if there is a service
  std::vector<const CLI::App*> checks_;  // `config check` and its like
  std::string log_format_ = "text";
  std::vector<std::string> arguments_;
  std::jthread follower_;
};

}  // namespace lean

#endif  // LEAN_COMMON_PROCESS_PROGRAM_H_
