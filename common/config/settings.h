// Options of a program that may also stand in a YAML file or in the environment, under the same names.
#ifndef LEAN_COMMON_CONFIG_SETTINGS_H_
#define LEAN_COMMON_CONFIG_SETTINGS_H_

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lean {

// " (did you mean NAME?)" with the name of `known` that is most similar to `name`, or "" if none is similar.
std::string DidYouMean(absl::string_view name, const std::vector<std::string>& known);

// Settings are options of commands that take `--config FILE`, and the program's own options for these commands. A
// setting has one name in three places:
//   --rpc-address 127.0.0.1:5052               on the command line, which comes before
//   LEAN_BEACON_RPC_ADDRESS=127.0.0.1:5052     in the environment, which comes before
//   rpc-address: 127.0.0.1:5052                in the file
// In the two latter a flag has the value true or false. A setting that is in none has its default. Settings of file and
// environment are passed to the parser as options, so all rules for options hold for them as well. Not thread-safe.
class Settings {
 public:
  // `prefix` begins the names of the variables: "LEAN_BEACON_". `program` must outlive this object.
  Settings(CLI::App& program, std::string prefix);

  // Adds `--config` to a command.
  void AddTo(CLI::App& command);

  // The file of the last Complete; empty: none.
  const std::string& file() const { return used_file_; }

  // Inserts what file and environment contain into the arguments of the program, except what the arguments set
  // themselves. Arguments of a command without `--config` do not change. `environment`: NAME=VALUE. InvalidArgument: an
  // unknown setting, or one without a value, named with its place. Errors of YamlValue::ReadFile.
  absl::StatusOr<std::vector<std::string>> Complete(const std::vector<std::string>& arguments,
                                                    const std::vector<std::string>& environment);

  // For an error about the result of Complete: where the options that it names come from, if not from the command line:
  // "; --rpc-address is in beacon.yaml:3".
  std::string Origins(absl::string_view error) const;

  // The command that the arguments select, such as `run`; the program if none.
  const CLI::App& CommandOf(const std::vector<std::string>& arguments) const;

  // The names of all options that `command` takes, with "--".
  static std::vector<std::string> OptionsOf(const CLI::App& command);

  // Writes the settings of a parsed command as a YAML file, each with its origin as a comment.
  void Print(const CLI::App& command, std::ostream& out) const;

 private:
  struct Scan;
  struct Values {
    std::vector<std::string> values;
    std::string origin;
  };

  Scan ScanArguments(const std::vector<std::string>& arguments) const;
  std::string VariableOf(absl::string_view name) const;
  absl::Status ReadFile(const std::string& path, const CLI::App& command, std::map<std::string, Values>& found) const;
  absl::Status ReadEnvironment(const std::vector<std::string>& environment, const CLI::App& command,
                               std::map<std::string, Values>& found) const;

  CLI::App& program_;
  const std::string prefix_;
  std::vector<const CLI::App*> commands_;
  std::string file_;                            // value of --config
  std::string used_file_;                       // the same, or that of the environment
  std::map<std::string, std::string> origins_;  // of the options that Complete inserted
};

}  // namespace lean

#endif  // LEAN_COMMON_CONFIG_SETTINGS_H_
