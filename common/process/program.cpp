#include "common/process/program.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/bytes/decimal.h"
#include "common/clock/clock.h"
#include "common/log/log_text.h"
#include "common/status/status_macros.h"
#include "common/version/version.h"

namespace lean {
namespace {

constexpr absl::string_view kUnsigned = "UINT";  // CLI11's name of the type
constexpr absl::string_view kEmpty = "the value is empty: give one, or leave the option out";

std::string PresentError(std::string& value) {
  if (absl::StripAsciiWhitespace(value).empty()) return std::string(kEmpty);
  if (absl::StartsWith(value, "--")) return absl::StrCat("the value is missing: ", value, " follows");
  return "";
}

std::string NumberError(std::string& value) {
  if (ParseDecimal(value).has_value()) return "";
  return absl::StrCat("\"", value, "\" is not a whole number from 0 to 2^64 - 1 in decimal digits");
}

constexpr size_t kMaxErrorBytes = 8192;
constexpr std::chrono::seconds kFollowPeriod{1};
constexpr char kLevelOption[] = "--log-level";
constexpr char kDefaultLevel[] = "info";

std::vector<std::string> Environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

}  // namespace

void CheckOptionValues(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) {
      option->disable_flag_override();
      continue;
    }
    // transform() adds a check before those that the option already has. A check without a description is not shown in
    // the help.
    if (absl::StartsWith(option->get_type_name(), kUnsigned)) option->transform(CLI::Validator(NumberError, ""));
    option->transform(CLI::Validator(PresentError, ""));
  }
  for (CLI::App* part : app.get_subcommands(nullptr)) CheckOptionValues(*part);
}

CLI::Option* AddListOption(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                           const std::string& description,
                           const std::function<std::string(const std::string&)>& error) {
  const auto take = [name, &values, error](const std::vector<std::string>& given) {
    values.clear();
    for (const std::string& list : given) {
      for (const absl::string_view element : absl::StrSplit(list, ',')) {
        const absl::string_view value = absl::StripAsciiWhitespace(element);
        if (value.empty()) {
          throw CLI::ValidationError(name, absl::StrCat("an element of \"", list, "\" is empty: take it out"));
        }
        values.emplace_back(value);
        if (const std::string what = error(values.back()); !what.empty()) throw CLI::ValidationError(name, what);
      }
    }
  };
  return app.add_option_function<std::vector<std::string>>(name, take, description)
      ->default_str(absl::StrJoin(values, ","));
}

std::string EmptyOptionError(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (!absl::StartsWith(argument, "--") || equals == std::string::npos) continue;
    if (absl::StripAsciiWhitespace(argument.substr(equals + 1)).empty()) {
      return absl::StrCat(argument.substr(0, equals), ": ", kEmpty);
    }
  }
  return "";
}

Program::Program(const std::string& name, const std::string& kind, std::vector<std::string> parts)
    : name_(name),
      parts_(std::move(parts)),
      log_level_(kDefaultLevel),
      form_(std::make_shared<std::atomic<LogForm>>(LogForm::kText)),
      errors_(MakeErrorWriter(form_)),
      out_(std::cout, [](absl::string_view text) { return WriteChecked(STDOUT_FILENO, text); }),
      err_(std::cerr,
           [this](absl::string_view text) {
             errors_->Write(text);
             return true;
           }),
      app_(absl::StrCat("A lean Ethereum consensus node: the ", kind, "."), name),
      settings_(app_, absl::StrCat(absl::AsciiStrToUpper(absl::StrReplaceAll(name, {{"-", "_"}})), "_")) {
  app_.set_version_flag("--version", absl::StrCat(name, " ", Version(), " (", Commit(), ", ", Build(), ")"));
  app_.require_subcommand(1);
  const auto level_error = [this](const std::string& text) {
    return std::string(ParseLogLevels(text, parts_).status().message());
  };
  std::string of_parts;
  if (!parts_.empty()) {
    of_parts = absl::StrCat("; also of parts of the program: info,", parts_.front(), "=debug; parts are ",
                            absl::StrJoin(parts_, ", "));
  }
  app_.add_option(kLevelOption, log_level_, absl::StrCat("least level of the log", of_parts))
      ->check(CLI::Validator(level_error, "{debug,info,warn,error}"))
      ->capture_default_str();
  app_.add_option("--log-format", log_format_,
                  "form of the log: text, with columns and colours on a terminal; or JSON, one object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app_.fallthrough();
}

CLI::App& Program::AddService(const std::string& name, const std::string& description,
                              const std::function<void(CLI::App& command)>& add_options) {
  CLI::App* service = app_.add_subcommand(name, description);
  const bool first = config_ == nullptr;
  if (first) {
    config_ = app_.add_subcommand("config", "Check settings");
    config_->require_subcommand(1);
  }
  CLI::App* check = config_->add_subcommand(
      first ? "check" : absl::StrCat("check-", name),
      absl::StrCat("Print the effective settings of `", name,
                   "` from its options, the environment and --config; refuse what it would refuse"));
  for (CLI::App* command : {service, check}) {
    add_options(*command);
    settings_.AddTo(*command);
  }
  checks_.push_back(check);
  return *service;
}

std::optional<int> Program::Parse(int argc, char** argv) {
  CheckOptionValues(app_);
  arguments_.assign(argv + 1, argv + argc);
  const std::vector<std::string>& arguments = arguments_;
  std::string complaint = EmptyOptionError(arguments);
  if (complaint.empty()) {
    absl::StatusOr<std::vector<std::string>> completed = settings_.Complete(arguments, Environment());
    if (!completed.ok()) {
      Say(completed.status().message());
      return kExitUsage;
    }
    std::reverse(completed->begin(), completed->end());  // as CLI11 takes it
    try {
      app_.parse(*std::move(completed));
      const auto check =
          std::find_if(checks_.begin(), checks_.end(), [](const CLI::App* app) { return app->parsed(); });
      if (check == checks_.end()) return std::nullopt;
      settings_.Print(**check, std::cout);
      return Report(absl::OkStatus());
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) {
        app_.exit(error);  // prints the help or the version
        return Report(absl::OkStatus());
      }
      complaint = Complaint(error, settings_.CommandOf(arguments));
      absl::StrAppend(&complaint, settings_.Origins(complaint));
    }
  }
  Say(absl::StrCat(complaint, "; run it with --help for what there is"));
  return kExitUsage;
}

// CLI11 checks for missing options first, so it would report a misspelt option as a missing one.
std::string Program::Complaint(const CLI::ParseError& error, const CLI::App& command) const {
  const std::vector<std::string> unknown = app_.remaining(/*recurse=*/true);
  if (unknown.empty()) {
    const std::string what = error.what();
    const size_t flag = what.find(" was given a disallowed flag override");
    return flag == std::string::npos ? what : absl::StrCat("--", what.substr(0, flag), ": takes no value");
  }
  const std::string& first = unknown.front();
  if (absl::StartsWith(first, "-")) {
    const std::string name = first.substr(0, first.find('='));
    return absl::StrCat("unknown option ", first, DidYouMean(name, Settings::OptionsOf(command)));
  }
  return absl::StrCat("\"", first, "\" is neither a command nor the value of an option",
                      DidYouMean(first, CommandsOf(command)));
}

std::shared_ptr<spdlog::logger> Program::Log() {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  *form_ = log_format_ == "json" ? LogForm::kJson : terminal ? LogForm::kTerminal : LogForm::kText;
  // The option has been checked.
  const LogLevels levels = ParseLogLevels(log_level_, parts_).value_or(LogLevels());
  auto log = MakeLog(levels, *form_, errors_, std::make_shared<RealClock>());
  if (!settings_.file().empty()) {
    follower_ = std::jthread([this, log](const std::stop_token& stop) { FollowLevels(stop, *log); });
  }
  return log;
}

void Program::FollowLevels(const std::stop_token& stop, spdlog::logger& log) {
  RealClock clock;
  std::filesystem::file_time_type seen;
  std::string level = log_level_;
  while (clock.WaitUntil(clock.Steady() + kFollowPeriod, stop)) {
    std::error_code missing;
    const auto written = std::filesystem::last_write_time(settings_.file(), missing);
    if (missing || written == seen) continue;
    seen = written;
    const absl::StatusOr<std::string> now = LevelNow();
    const absl::StatusOr<LogLevels> levels = now.ok() ? ParseLogLevels(*now, parts_) : now.status();
    if (!levels.ok()) {
      log.error("settings_refused message=\"{}\"", Printable(levels.status().message()));
    } else if (*now != level) {
      level = *now;
      SetLogLevels(log, *levels);
      log.warn("log_level_changed level=\"{}\" message=\"other settings are read at the next start\"", level);
    }
  }
}

absl::StatusOr<std::string> Program::LevelNow() {
  ASSIGN_OR_RETURN(std::vector<std::string> arguments, settings_.Complete(arguments_, Environment()));
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes it
  std::string level = kDefaultLevel;
  CLI::App one_option;
  one_option.allow_extras();
  one_option.add_option(kLevelOption, level);
  try {
    one_option.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return level;
}

int Program::Report(const absl::Status& status, bool usage) const {
  std::cout.flush();
  // gRPC's log keeps a reference to the writer, so the writer does not end by itself.
  errors_->Flush(LineWriter::kEndPatience);
  if (!status.ok()) {
    Say(status.message().substr(0, kMaxErrorBytes));
    return usage ? kExitUsage : kExitFailure;
  }
  if (std::cout.good()) return 0;
  Say("what this command prints could not be written to standard output");
  return kExitFailure;
}

void Program::Say(absl::string_view text) const {
  const bool json = *form_ == LogForm::kJson;
  errors_->Write(json ? LogLine(LogForm::kJson, spdlog::level::err, text)
                      : absl::StrCat(name_, ": ", WithoutControls(text), "\n"));
  errors_->Flush(LineWriter::kEndPatience);
}

}  // namespace lean
