// lean-validator: `run` does the duties of its validators, `keys` looks after their keys.
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/process/log.h"
#include "common/process/stop_signals.h"
#include "common/rpc/grpc_log.h"
#include "common/version/version.h"
#include "validator_client/commands/keys_cli.h"
#include "validator_client/commands/run.h"

namespace lean::validator {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

void AddRun(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "Propose and vote for the listed validators until SIGINT or SIGTERM");
  run->add_option("--keystores", options.keystores, "YAML list of validators and their key files")->required();
  run->add_option("--password-file", options.password_file,
                  "file with the password of the encrypted key files; without it, it is asked for");
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

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::cerr << "lean-validator: " << status.message() << std::endl;
  return kExitFailure;
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
  KeysCli keys(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }

  if (keys.parsed()) {
    bool usage = false;
    const int code = Report(keys.Run(signals, &usage));
    return usage ? kExitUsage : code;
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
