// lean-sim: runs simulations of the whole network from the command line.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "tests/simulation/world/shrink.h"
#include "tests/simulation/world/simulation.h"

namespace lean::simulation {
namespace {

std::shared_ptr<spdlog::logger> MakeLog(bool verbose) {
  if (!verbose) {
    auto none = std::make_shared<spdlog::logger>("sim");
    none->set_level(spdlog::level::off);
    return none;
  }
  auto log = std::make_shared<spdlog::logger>("sim", std::make_shared<spdlog::sinks::stderr_sink_st>());
  log->set_pattern("%l %v");
  return log;
}

// Of this process.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void Print(const Violation& violation) {
  std::cout << "VIOLATION rule=" << NameOf(violation.rule) << " slot=" << violation.slot << ": " << violation.what
            << std::endl;
}

// Prints the result of a run, and after a violation the seed and a short scenario. False: a rule was violated.
bool Report(const Scenario& scenario, const RunResult& result, double seconds, const RunOptions& options) {
  const double rate = seconds > 0 ? static_cast<double>(result.slots) / seconds : 0;
  std::cout << absl::StrFormat(
      "seed=%u nodes=%u validators=%u slots=%u digest=%016x finalized_slot=%u events=%u messages=%u "
      "slots_per_cpu_s=%.3g\n",
      scenario.seed, scenario.all_nodes(), scenario.validators, result.slots, result.digest, result.finalized_slot,
      result.events, result.messages, rate);
  if (!result.violation.has_value()) return true;
  Print(*result.violation);
  const RunOptions unrecorded{.folder = options.folder, .log = options.log};
  const Shrunk shrunk = Shrink(scenario, *result.violation,
                               [&unrecorded](const Scenario& candidate) { return Run(candidate, unrecorded); });
  std::cout << "\n# The shortest scenario of " << shrunk.runs << " that violates the same rule, for --scenario:\n"
            << ToYaml(shrunk.scenario) << "\n";
  Print(shrunk.violation);
  return false;
}

int Main(int argc, char** argv) {
  CLI::App app("Simulates beacons and validator clients on one seeded network, in virtual time (docs/simulation.md)");
  Scenario given;
  std::string file;
  uint64_t seeds = 1;
  bool verbose = false;
  std::string record;
  std::vector<size_t> recorded = {0};
  const CLI::Option* seed = app.add_option("--seed", given.seed, "seed of the first run");
  app.add_option("--seeds", seeds, "number of runs, with increasing seeds")->capture_default_str();
  const CLI::Option* nodes = app.add_option("--nodes", given.nodes, "beacons with a client each");
  const CLI::Option* validators = app.add_option("--validators", given.validators, "over all nodes");
  const CLI::Option* slots = app.add_option("--slots", given.slots, "slots of a run");
  const CLI::Option* disks = app.add_option("--disks", given.disks, "the first nodes keep their chain on a disk");
  app.add_option("--scenario", file, "YAML file; the options above override it")->check(CLI::ExistingFile);
  app.add_flag("--log", verbose, "log what all nodes log");
  app.add_option("--record", record, "folder for what the pages of nodes get; tests/simulation/watch.py shows it");
  app.add_option("--record-nodes", recorded, "the nodes to record, from 0 on; twins come last")
      ->delimiter(',')
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  Scenario scenario;
  if (!file.empty()) {
    const absl::StatusOr<Scenario> read = ReadScenario(file);
    if (!read.ok()) {
      std::cerr << read.status().message() << "\n";
      return 2;
    }
    scenario = *read;
  }
  if (seed->count() > 0) scenario.seed = given.seed;
  if (nodes->count() > 0) scenario.nodes = given.nodes;
  if (validators->count() > 0) scenario.validators = given.validators;
  if (slots->count() > 0) scenario.slots = given.slots;
  if (disks->count() > 0) scenario.disks = given.disks;
  if (scenario.nodes == 0 || scenario.validators == 0 || scenario.validators > 4096 || scenario.nodes > 4096) {
    std::cerr << "--nodes and --validators: expected 1 to 4096\n";
    return 2;
  }
  // Files in memory, where the machine has some: the simulated disk alone decides what survives.
  const std::filesystem::path shared_memory = "/dev/shm";
  const std::filesystem::path parent =
      access(shared_memory.c_str(), W_OK) == 0 ? shared_memory : std::filesystem::temp_directory_path();
  RunOptions options{.folder = parent / absl::StrCat("lean-sim-", getpid()), .log = MakeLog(verbose)};
  if (!record.empty()) {
    const size_t most = *std::max_element(recorded.begin(), recorded.end());
    if (seeds != 1 || most >= scenario.all_nodes()) {
      std::cerr << "--record: expected one seed, and --record-nodes of 0 to " << scenario.all_nodes() - 1 << "\n";
      return 2;
    }
    std::error_code error;
    std::filesystem::create_directories(record, error);
    options.record_folder = record;
    options.recorded = recorded;
  }
  bool good = true;
  for (uint64_t run = 0; run < seeds && good; ++run, ++scenario.seed) {
    const double begin = CpuSeconds();
    const RunResult result = Run(scenario, options);
    good = Report(scenario, result, CpuSeconds() - begin, options);
    if (!result.recorded) {
      std::cerr << "--record: " << record << " cannot be written\n";
      return 2;
    }
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace lean::simulation

int main(int argc, char** argv) { return lean::simulation::Main(argc, argv); }
