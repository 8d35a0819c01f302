// lean-load: puts load on a running beacon and measures it (tests/bench/README.md).
#include <sys/resource.h>

#include <cstddef>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/process/descriptors.h"
#include "nlohmann/json.hpp"
#include "tests/bench/load/steps.h"

namespace lean::load {
namespace {

constexpr int kNice = -10;

nlohmann::json ToJson(const Latencies& latencies) {
  return {{"calls", latencies.calls},         {"bad", latencies.bad},       {"p50_ms", latencies.p50},
          {"p99_ms", latencies.p99},          {"p99.9_ms", latencies.p999}, {"most_ms", latencies.most},
          {"late_p99_ms", latencies.late_p99}};
}

nlohmann::json ToJson(const StepResult& result) {
  return {{"call", result.call},
          {"clients", result.clients},
          {"rate", result.rate},
          {"latencies", ToJson(result.latencies)},
          {"with_votes", ToJson(result.with_votes)},
          {"voting_ms", result.voting_ms},
          {"written_bytes_slot", result.written},
          {"floor_s_slot", result.floor_s},
          {"cpu_s_slot", result.cpu_s},
          {"cpu_us_call", result.cpu_us},
          {"errors", result.errors}};
}

void PrintHeader() {
  std::cout << absl::StrFormat("%-11s %7s %6s %6s %5s %8s %8s %8s %8s %8s %10s %9s %8s\n", "call", "clients", "rate",
                               "calls", "bad", "p50 ms", "p99 ms", "p99.9 ms", "most ms", "late p99", "p99 voting",
                               "CPU/slot", "CPU/call");
}

void Print(const StepResult& result) {
  const Latencies& all = result.latencies;
  std::cout << absl::StrFormat("%-11s %7d %6.0f %6d %5d %8.2f %8.2f %8.2f %8.2f %8.2f %10.2f %7.3f s %5.0f us",
                               result.call, result.clients, result.rate, all.calls, all.bad, all.p50, all.p99, all.p999,
                               all.most, all.late_p99, result.with_votes.p99, result.cpu_s, result.cpu_us);
  if (result.floor_s > 0) std::cout << absl::StrFormat("  (the signatures alone: %.3f s)", result.floor_s);
  for (const auto& [why, count] : result.errors) std::cout << "  " << why << ": " << count;
  std::cout << std::endl;
}

int Main(int argc, char** argv) {
  RaiseDescriptorLimit();
  // The clients of a beacon are on other machines, so this one should not wait for a processor that the beacon uses. It
  // has no effect without the privilege; the column "late p99" shows what remains.
  setpriority(PRIO_PROCESS, 0, kNice);
  CLI::App app(
      "Puts load on a beacon, in an open loop, and measures it. Columns: percentiles of the latency from when a call "
      "was "
      "due; late p99: what the tool itself adds to it; p99 voting: of the calls that were due while votes were under "
      "way; "
      "CPU of the beacon");
  LoadOptions options;
  std::string json_file;
  app.add_option("--beacon", options.beacon, "HOST:PORT or unix:PATH")->capture_default_str();
  app.add_option("--keystores", options.keystores, "keystore list of plain keys that vote in every slot")
      ->check(CLI::ExistingFile);
  app.add_option("--pid", options.pid, "process id of the beacon, for its CPU time");
  app.add_option("--slots", options.slots, "slots of each step")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--calls", options.calls, "BuildVote, GetHead, SubmitVotes")->delimiter(',')->capture_default_str();
  app.add_flag_callback(
      "--votes-only", [&options] { options.calls.clear(); }, "make no calls beside the votes");
  app.add_option("--clients", options.clients, "numbers of clients, each with a connection of its own")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_option("--rate", options.rate, "calls a second of all clients")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 1e6));
  app.add_option("--voting-clients", options.voting_clients, "clients that submit the votes beside other calls")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_option("--json", json_file, "also write the results to this file");
  CLI11_PARSE(app, argc, argv);

  nlohmann::json steps = nlohmann::json::array();
  PrintHeader();
  const absl::Status status = RunSteps(options, [&steps](const StepResult& result) {
    Print(result);
    steps.push_back(ToJson(result));
  });
  if (!status.ok()) {
    std::cerr << "lean-load: " << status.message() << std::endl;
    return 1;
  }
  if (json_file.empty()) return 0;
  std::ofstream file(json_file);
  file << nlohmann::json{{"slots", options.slots},
                         {"processors", std::thread::hardware_concurrency()},
                         {"steps", steps}}
              .dump(1)
       << '\n';
  file.close();
  if (file.good()) return 0;
  std::cerr << "lean-load: cannot write " << json_file << std::endl;
  return 1;
}

}  // namespace
}  // namespace lean::load

int main(int argc, char** argv) { return lean::load::Main(argc, argv); }
