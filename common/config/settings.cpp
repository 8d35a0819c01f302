#include "common/config/settings.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/config/yaml.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"

namespace lean {
namespace {

constexpr size_t kMaxFileBytes = 256 * 1024;
constexpr size_t kMaxValues = 256;   // of one setting
constexpr size_t kMaxCompared = 64;  // bytes of a name
constexpr char kConfig[] = "config";

// The number of characters to insert, delete or replace, to make one name of the other.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// Calls `visit` for each option of an app and its option groups, except help and version.
template <typename Visit>
void ForEachOption(const CLI::App& app, const Visit& visit) {
  for (const CLI::Option* option : app.get_options()) {
    const bool own = option == app.get_help_ptr() || option == app.get_version_ptr();
    if (!own && !option->get_lnames().empty()) visit(*option);
  }
  for (const CLI::App* group : app.get_subcommands(nullptr)) {
    if (group->get_name().empty()) ForEachOption(*group, visit);
  }
}

const std::string& NameOf(const CLI::Option& option) { return option.get_lnames().front(); }

// The options of a command, and those of the apps above it.
std::vector<const CLI::Option*> OptionsWithin(const CLI::App& command) {
  std::vector<const CLI::Option*> options;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    ForEachOption(*app, [&options](const CLI::Option& option) { options.push_back(&option); });
  }
  return options;
}

const CLI::Option* Find(const CLI::App& command, absl::string_view name) {
  for (const CLI::Option* option : OptionsWithin(command)) {
    if (NameOf(*option) == name) return option;
  }
  return nullptr;
}

// The command of this name directly below an app, or null.
const CLI::App* Below(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

bool IsFlag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

// The options that set `option` to these values, or what is wrong with them.
absl::StatusOr<std::vector<std::string>> ArgumentsOf(const CLI::Option& option,
                                                     const std::vector<std::string>& values) {
  const std::string name = absl::StrCat("--", NameOf(option));
  const bool one = option.get_items_expected_max() <= 1;
  if (one && values.size() > 1) return absl::InvalidArgumentError("takes one value, not a list");
  if (IsFlag(option)) {
    const std::string value = values.empty() ? "" : values.front();
    if (value == "true") return std::vector<std::string>{name};
    if (value == "false") return std::vector<std::string>();
    return absl::InvalidArgumentError("is a flag: expected true or false");
  }
  std::vector<std::string> arguments;
  for (const std::string& value : values) {
    if (absl::StripAsciiWhitespace(value).empty()) break;
    arguments.push_back(absl::StrCat(name, "=", value));
  }
  if (!values.empty() && arguments.size() == values.size()) return arguments;
  return absl::InvalidArgumentError("has no value: give one, or leave the setting out");
}

// As a scalar of YAML.
std::string Quoted(const std::string& text) {
  const auto plain = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("_./:-+@", c);
  };
  const bool begins = !text.empty() && (absl::ascii_isalnum(static_cast<unsigned char>(text[0])) || text[0] == '/');
  if (begins && text.back() != ':' && std::all_of(text.begin(), text.end(), plain)) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}), "\"");
}

std::string ValueText(const CLI::Option& option) {
  if (IsFlag(option)) return option.count() > 0 ? "true" : "false";
  if (option.count() == 0) return option.get_default_str().empty() ? "" : Quoted(option.get_default_str());
  std::vector<std::string> values;
  for (const std::string& value : option.results()) values.push_back(Quoted(value));
  return values.size() == 1 ? values.front() : absl::StrCat("[", absl::StrJoin(values, ", "), "]");
}

}  // namespace

std::string DidYouMean(absl::string_view name, const std::vector<std::string>& known) {
  const absl::string_view compared = name.substr(0, kMaxCompared);
  const size_t most = std::max<size_t>(2, compared.size() / 4);
  const std::string* nearest = nullptr;
  size_t least = most + 1;
  for (const std::string& candidate : known) {
    const size_t distance = Distance(compared, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      nearest = &candidate;
    }
  }
  return nearest == nullptr ? "" : absl::StrCat(" (did you mean ", *nearest, "?)");
}

struct Settings::Scan {
  const CLI::App* command = nullptr;
  size_t place = 0;             // of the first argument after the name of the command
  std::set<std::string> given;  // names of options, without "--"
  std::string file;             // of --config
};

Settings::Settings(CLI::App& program, std::string prefix) : program_(program), prefix_(std::move(prefix)) {}

void Settings::AddTo(CLI::App& command) {
  command.add_option(absl::StrCat("--", kConfig), file_,
                     absl::StrCat("YAML file with these options as `name: value`; an option has precedence over the "
                                  "environment (",
                                  VariableOf("name"), "), which has precedence over the file"));
  commands_.push_back(&command);
}

Settings::Scan Settings::ScanArguments(const std::vector<std::string>& arguments) const {
  Scan scan;
  scan.command = &program_;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!absl::StartsWith(argument, "--")) {
      const CLI::App* below = Below(*scan.command, argument);
      if (below == nullptr) continue;
      scan.command = below;
      scan.place = i + 1;
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    scan.given.insert(name);
    const CLI::Option* option = Find(*scan.command, name);
    std::string value;
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (option != nullptr && !IsFlag(*option) && i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (name == kConfig && !absl::StartsWith(value, "--")) scan.file = value;
  }
  return scan;
}

const CLI::App& Settings::CommandOf(const std::vector<std::string>& arguments) const {
  return *ScanArguments(arguments).command;
}

std::vector<std::string> Settings::OptionsOf(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : OptionsWithin(command)) names.push_back(absl::StrCat("--", NameOf(*option)));
  return names;
}

std::string Settings::VariableOf(absl::string_view name) const {
  return absl::StrCat(prefix_, absl::AsciiStrToUpper(absl::StrReplaceAll(name, {{"-", "_"}})));
}

absl::Status Settings::ReadFile(const std::string& path, const CLI::App& command,
                                std::map<std::string, Values>& found) const {
  ASSIGN_OR_RETURN(const YamlValue root, YamlValue::ReadFile(path, kMaxFileBytes));
  if (root.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto fields, root.Fields());
  for (const auto& [name, value] : fields) {
    if (name == kConfig) return value.Error("a file names no other file");
    if (Find(command, name) == nullptr) {
      std::vector<std::string> known;
      for (const CLI::Option* option : OptionsWithin(command)) known.push_back(NameOf(*option));
      return value.Error(absl::StrCat("unknown setting", DidYouMean(name, known)));
    }
    Values values;
    values.origin = absl::StrCat(path, ":", value.line());
    if (absl::StatusOr<std::vector<YamlValue>> items = value.Items(kMaxValues); items.ok()) {
      for (const YamlValue& item : *items) {
        ASSIGN_OR_RETURN(std::string text, item.Text());
        values.values.push_back(std::move(text));
      }
    } else {
      ASSIGN_OR_RETURN(std::string text, value.Text(), value.Error("has no value: give one, or leave the setting out"));
      values.values.push_back(std::move(text));
    }
    found[name] = std::move(values);
  }
  return absl::OkStatus();
}

absl::Status Settings::ReadEnvironment(const std::vector<std::string>& environment, const CLI::App& command,
                                       std::map<std::string, Values>& found) const {
  for (const std::string& entry : environment) {
    const size_t equals = entry.find('=');
    if (!absl::StartsWith(entry, prefix_) || equals == std::string::npos) continue;
    const std::string variable = entry.substr(0, equals);
    const std::string name = absl::AsciiStrToLower(absl::StrReplaceAll(variable.substr(prefix_.size()), {{"_", "-"}}));
    if (name == kConfig) continue;
    if (variable != VariableOf(name) || Find(command, name) == nullptr) {
      std::vector<std::string> known = {VariableOf(kConfig)};
      for (const CLI::Option* option : OptionsWithin(command)) known.push_back(VariableOf(NameOf(*option)));
      return absl::InvalidArgumentError(
          absl::StrCat("the environment has ", variable, ", which is no setting", DidYouMean(variable, known)));
    }
    found[name] = {.values = {entry.substr(equals + 1)}, .origin = absl::StrCat("the environment (", variable, ")")};
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Settings::Complete(const std::vector<std::string>& arguments,
                                                            const std::vector<std::string>& environment) {
  origins_.clear();
  const Scan scan = ScanArguments(arguments);
  if (std::find(commands_.begin(), commands_.end(), scan.command) == commands_.end()) return arguments;
  std::string file = scan.file;
  const std::string file_variable = absl::StrCat(VariableOf(kConfig), "=");
  for (const std::string& entry : environment) {
    if (scan.given.contains(kConfig) || !absl::StartsWith(entry, file_variable)) continue;
    file = entry.substr(file_variable.size());
    if (file.empty())
      return absl::InvalidArgumentError(absl::StrCat("the environment has an empty ", VariableOf(kConfig)));
  }
  used_file_ = file;
  std::map<std::string, Values> found;
  if (!file.empty()) RETURN_IF_ERROR(ReadFile(file, *scan.command, found));
  RETURN_IF_ERROR(ReadEnvironment(environment, *scan.command, found));

  std::vector<std::string> inserted;
  for (const auto& [name, values] : found) {
    if (scan.given.contains(name)) continue;
    ASSIGN_OR_RETURN(const std::vector<std::string> options, ArgumentsOf(*Find(*scan.command, name), values.values),
                     absl::InvalidArgumentError(absl::StrCat(values.origin, ": ", name, ": ", _.message())));
    inserted.insert(inserted.end(), options.begin(), options.end());
    origins_[name] = values.origin;
  }
  std::vector<std::string> completed = arguments;
  completed.insert(completed.begin() + static_cast<std::ptrdiff_t>(scan.place), inserted.begin(), inserted.end());
  return completed;
}

std::string Settings::Origins(absl::string_view error) const {
  std::string text;
  for (const auto& [name, origin] : origins_) {
    const std::string option = absl::StrCat("--", name);
    const size_t place = error.find(option);
    if (place == absl::string_view::npos) continue;
    const absl::string_view rest = error.substr(place + option.size());
    // Not the beginning of a longer name.
    if (!rest.empty() && (rest[0] == '-' || absl::ascii_isalnum(static_cast<unsigned char>(rest[0])))) continue;
    absl::StrAppend(&text, "; ", option, " is in ", origin);
  }
  return text;
}

void Settings::Print(const CLI::App& command, std::ostream& out) const {
  for (const CLI::Option* option : OptionsWithin(command)) {
    const std::string& name = NameOf(*option);
    if (name == kConfig) continue;
    const std::string value = WithoutControls(ValueText(*option));
    if (value.empty()) {
      out << absl::StrFormat("%-47s # not set\n", absl::StrCat("# ", name, ":"));
      continue;
    }
    const auto origin = origins_.find(name);
    const std::string source = origin != origins_.end() ? origin->second
                               : option->count() > 0    ? "an option"
                                                        : "default";
    out << absl::StrFormat("%-47s # %s\n", absl::StrCat(name, ": ", value), WithoutControls(source));
  }
}

}  // namespace lean
