#include "common/process/program.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/process/log.h"
#include "common/version/version.h"

namespace lean {

Program::Program(const std::string& name, const std::string& kind)
    : name_(name), app_(absl::StrCat("A lean Ethereum consensus node: the ", kind, "."), name) {
  app_.set_version_flag("--version", absl::StrCat(name, " ", Version(), " (", Commit(), ", ", Build(), ")"));
  app_.require_subcommand(1);
  app_.add_option("--log-level", log_level_, "debug, info, warn or error")->capture_default_str();
  app_.fallthrough();
}

std::optional<int> Program::Parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == 0 ? 0 : kExitUsage;
  }
  return std::nullopt;
}

absl::StatusOr<std::shared_ptr<spdlog::logger>> Program::Log() const { return MakeLog(log_level_); }

int Program::Report(const absl::Status& status, bool usage) const {
  if (status.ok()) return 0;
  std::cerr << name_ << ": " << status.message() << std::endl;
  return usage ? kExitUsage : kExitFailure;
}

}  // namespace lean
