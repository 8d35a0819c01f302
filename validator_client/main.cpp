// lean-validator: `run` does the duties of its validators, `config` checks settings, `keys` manages their keys,
// `records` exports and imports what they have signed.
#include <iostream>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "common/process/descriptors.h"
#include "common/process/program.h"
#include "common/process/standard_streams.h"
#include "common/process/stop_signals.h"
#include "common/rpc/grpc_settings.h"
#include "common/secrets/secret_memory.h"
#include "validator_client/commands/keymanager_cli.h"
#include "validator_client/commands/keys/keys_cli.h"
#include "validator_client/commands/options.h"
#include "validator_client/commands/records.h"
#include "validator_client/commands/sign_server.h"
#include "validator_client/commands/validator_client.h"

namespace lean::validator {
namespace {

int Main(int argc, char** argv) {
  if (!OpenStandardDescriptors()) return kExitFailure;
  // Before the first thread: threads inherit the blocked signals.
  StopSignals signals;
  RaiseDescriptorLimit();
  // Before the first secret is read.
  const absl::Status unlocked = ProtectSecretMemory();

  Program program("lean-validator", "validator client", {"beacons", "duties", "keymanager", "keys"});
  CLI::App& app = program.app();
  RunOptions run;
  program.AddService("run", "Propose and vote for the listed validators until SIGINT, SIGTERM or SIGHUP",
                     [&run](CLI::App& command) { AddRunOptions(command, run); });
  KeysCli keys(app);
  const KeymanagerCli keymanager(app);
  SignServerOptions sign_server;
  program.AddService("sign-server", "Hold keys and sign for other validator clients (lean.v1.Signer)",
                     [&sign_server](CLI::App& command) { AddSignServerOptions(command, sign_server); });
  RecordsOptions records;
  AddRecords(app, records);
  if (const std::optional<int> code = program.Parse(argc, argv); code.has_value()) return *code;

  const auto log = program.Log();
  rpc::RouteGrpcLog(log);
  rpc::SkipGrpcLockChecks();
  if (!unlocked.ok()) log->warn("secrets not locked in memory message=\"{}\"", std::string(unlocked.message()));
  if (app.got_subcommand("run")) return program.Report(Run(run, signals, log));
  if (app.got_subcommand("sign-server")) return program.Report(SignServer(sign_server, signals, log));
  bool usage = false;
  if (keys.parsed()) {
    const absl::Status status = keys.Run(signals, &usage);
    return program.Report(status, usage);
  }
  if (keymanager.parsed()) {
    const absl::Status status = keymanager.Run(signals, std::cout, &usage);
    return program.Report(status, usage);
  }
  // A signal may end these commands at any moment: their files are complete, or are recognised as incomplete.
  signals.LetEnd();
  const CLI::App& records_app = *app.get_subcommand("records");
  if (records_app.got_subcommand("export")) return program.Report(ExportRecords(records, std::cout));
  if (records_app.got_subcommand("raise")) return program.Report(RaiseRecords(records, std::cout));
  return program.Report(ImportRecords(records, std::cout));
}

}  // namespace
}  // namespace lean::validator

int main(int argc, char** argv) { return lean::validator::Main(argc, argv); }
