// lean-stall: runs a chain on which nothing is finalized for days, and prints what it takes.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "tests/simulation/days_of_stall.h"

namespace lean::simulation {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("A chain without finality for days, on the real storage (docs/simulation.md)");
  std::filesystem::path parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
  StallOptions options{.progress = [](const std::string& line) { std::cout << line << std::endl; }};
  app.add_option("--validators", options.validators, "in the registry")->capture_default_str();
  app.add_option("--present", options.present, "so many vote and propose")->capture_default_str();
  app.add_option("--slots", options.slots, "without finality")->capture_default_str();
  app.add_option("--measured", options.measured, "slots at both ends whose cost is compared")->capture_default_str();
  app.add_option("--dir", parent, "where a folder is made; on a memory file system it is faster")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.folder = parent / absl::StrCat("lean-stall-", getpid());
  const StallResult result = RunStall(options);
  std::error_code ignored;
  std::filesystem::remove_all(options.folder, ignored);
  std::cout << Report(options, result);
  std::vector<std::string> broken = BrokenBounds(options, result);
  if (result.last_ms > 2 * result.first_ms) broken.emplace_back("the last slots cost more than twice the first ones");
  for (const std::string& what : broken) std::cout << "broken: " << what << "\n";
  return broken.empty() ? 0 : 1;
}

}  // namespace
}  // namespace lean::simulation

int main(int argc, char** argv) { return lean::simulation::Main(argc, argv); }
