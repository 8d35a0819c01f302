// lean-beacon: `run` runs a beacon, `config` checks its settings, `genesis` creates a network, `certs` makes
// certificates, `db` works on a data folder.
#include <optional>
#include <stop_token>

#include "CLI/CLI.hpp"
#include "beacon/commands/commands.h"
#include "beacon/commands/options.h"
#include "common/process/descriptors.h"
#include "common/process/program.h"
#include "common/process/standard_streams.h"
#include "common/process/stop_signals.h"
#include "common/rpc/grpc_settings.h"

namespace lean::beacon {
namespace {

int Main(int argc, char** argv) {
  if (!OpenStandardDescriptors()) return kExitFailure;
  // Before any thread starts, since threads inherit the blocked signals.
  StopSignals signals;
  RaiseDescriptorLimit();

  Program program("lean-beacon", "beacon", {"chain", "network", "rpc", "storage", "sync"});
  CLI::App& app = program.app();
  BeaconOptions run;
  program.AddService("run", "Serve the chain of a genesis folder until SIGINT, SIGTERM or SIGHUP",
                     [&run](CLI::App& command) { AddRunOptions(command, run); });
  GenesisOptions genesis;
  AddGenesis(app, genesis);
  CertsOptions certs;
  AddCerts(app, certs);
  DbOptions db;
  AddDb(app, db);
  if (const std::optional<int> code = program.Parse(argc, argv); code.has_value()) return *code;

  const auto log = program.Log();
  rpc::RouteGrpcLog(log);
  rpc::SkipGrpcLockChecks();
  if (app.got_subcommand("run")) return program.Report(Run(run, signals, log));
  if (app.got_subcommand("db")) {
    return program.Report(RunStoppable(
        signals, [&](const std::stop_token& stop) { return RunDb(app, db, stop, *log); },
        [&](const char* signal) { log->info("stopping signal={}", signal); }));
  }
  // An interrupted run leaves nothing that looks like a genesis folder, or like the certificate of a node.
  signals.LetEnd();
  if (app.got_subcommand("certs")) return program.Report(RunCerts(app, certs));
  return program.Report(MakeGenesisFolder(genesis));
}

}  // namespace
}  // namespace lean::beacon

int main(int argc, char** argv) { return lean::beacon::Main(argc, argv); }
