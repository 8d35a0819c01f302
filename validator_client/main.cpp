// lean-validator: `run` does the duties of its validators, `keys new` makes their keys.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/process/log.h"
#include "common/process/stop_signals.h"
#include "common/rpc/grpc_log.h"
#include "common/version/version.h"
#include "validator_client/commands/index_list.h"
#include "validator_client/commands/keys_new.h"
#include "validator_client/commands/run.h"
#include "validator_client/commands/until_stopped.h"

namespace lean::validator {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

void AddRun(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "Propose and vote for the listed validators until SIGINT or SIGTERM");
  run->add_option("--keystores", options.keystores, "YAML list of validators and their key files")->required();
  run->add_option("--beacon", options.beacons,
                  "HOST:PORT of the beacon; several, separated by commas or by naming the option again, best first")
      ->delimiter(',')
      ->capture_default_str();
  run->add_flag("--broadcast", options.broadcast,
                "hand in blocks and votes to every beacon, not only to the one in use");
  run->add_option("--genesis-root", options.genesis_root,
                  "root of the genesis block to work for, as hex; without it and --genesis, that of the first beacon");
  run->add_option("--genesis", options.genesis_dir, "genesis folder of the network to work for");
  run->add_option("--tls-ca", options.tls.server_ca, "PEM authority of the beacon's certificate: connect with TLS");
  run->add_option("--tls-cert", options.tls.cert, "PEM certificate chain of this client");
  run->add_option("--tls-key", options.tls.key, "PEM private key of that certificate");
}

CLI::App* AddKeysNew(CLI::App& app, KeysNewOptions& options, std::string& indices) {
  CLI::App* keys = app.add_subcommand("keys", "Keys of validators");
  keys->require_subcommand(1);
  CLI::App* make = keys->add_subcommand("new", "Make secret keys and the list that `run --keystores` reads");
  make->add_option("--output", options.output_dir, "folder for the key files, made private if it is new")->required();
  make->add_option("--indices", indices, "validators to make keys for: 0..3 or 0,2,5")->required();
  make->add_option("--xmss-log-lifetime", options.log_lifetime, "a key has 2^N leaves, one a slot; the network's own")
      ->check(CLI::IsMember({8, 16, 32}))
      ->capture_default_str();
  make->add_option("--active-slots", options.active_slots,
                   "slots from 0 on that the keys can sign in, rounded up; 0: all, at most the 2^18 of a chain")
      ->capture_default_str();
  make->add_option("--threads", options.threads, "threads that compute")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  return make;
}

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::cerr << "lean-validator: " << status.message() << std::endl;
  return kExitFailure;
}

int KeysNew(const KeysNewOptions& options, StopSignals& signals) {
  std::atomic<bool> cancelled{false};
  const absl::Status status = RunUntilStopped(
      signals,
      [&] {
        xmss::SystemRandomSource random;
        return MakeKeys(options, random, cancelled, std::cerr, isatty(STDERR_FILENO) == 1);
      },
      [&cancelled](const char*) { cancelled = true; });
  if (absl::IsCancelled(status)) return Report(absl::CancelledError("stopped: no key was kept"));
  return Report(status);
}

int Main(int argc, char** argv) {
  // Before any thread is made: they inherit what is blocked.
  StopSignals signals;

  CLI::App app("A lean Ethereum consensus node: the validator client.", "lean-validator");
  app.set_version_flag("--version", absl::StrCat("lean-validator ", Version(), " (", Commit(), ", ", Build(), ")"));
  app.require_subcommand(1);
  std::string log_level = "info";
  app.add_option("--log-level", log_level, "debug, info, warn or error")->capture_default_str();
  app.fallthrough();
  RunOptions run;
  AddRun(app, run);
  KeysNewOptions keys_new;
  keys_new.threads = std::clamp(std::thread::hardware_concurrency(), 1u, 256u);
  std::string indices;
  const CLI::App* keys_new_command = AddKeysNew(app, keys_new, indices);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }

  if (keys_new_command->parsed()) {
    const auto parsed = ParseIndexList(indices);
    if (!parsed.ok()) {
      std::cerr << "lean-validator: --indices: " << parsed.status().message() << std::endl;
      return kExitUsage;
    }
    keys_new.indices = *parsed;
    return KeysNew(keys_new, signals);
  }
  const auto log = MakeLog(log_level);
  if (!log.ok()) {
    std::cerr << "lean-validator: " << log.status().message() << std::endl;
    return kExitUsage;
  }
  rpc::RouteGrpcLog(*log);
  return Report(Run(run, signals, *log));
}

}  // namespace
}  // namespace lean::validator

int main(int argc, char** argv) { return lean::validator::Main(argc, argv); }
