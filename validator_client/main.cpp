// lean-validator: `run` does the duties of its validators, `keys` manages their keys, `records` exports and imports
// what they have signed.
#include <iostream>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "common/metrics/metrics_server.h"
#include "common/process/descriptors.h"
#include "common/process/program.h"
#include "common/process/standard_streams.h"
#include "common/process/stop_signals.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/grpc_log.h"
#include "common/secrets/secret_memory.h"
#include "validator_client/commands/keymanager_cli.h"
#include "validator_client/commands/keys/keys_cli.h"
#include "validator_client/commands/records.h"
#include "validator_client/commands/sign_server.h"
#include "validator_client/commands/validator_client.h"

namespace lean::validator {
namespace {

void AddRun(CLI::App& app, RunOptions& options) {
  CLI::App* run =
      app.add_subcommand("run", "Propose and vote for the listed validators until SIGINT, SIGTERM or SIGHUP");
  CLI::Option_group* keys = run->add_option_group("Keys");
  keys->add_option("--keystores", options.keystores, "YAML list of validators and their key files");
  keys->add_option("--signer", options.signer,
                   "unix:PATH or HOST:PORT (IPv6: [HOST]:PORT) of a signer that has the keys and the records "
                   "(lean-validator sign-server)")
      ->check(rpc::AddressError);
  keys->require_option(1);
  run->add_option("--signer-tls-ca", options.signer_tls.server_ca, "PEM authority of the signer's certificate");
  run->add_option("--signer-tls-cert", options.signer_tls.cert, "PEM certificate chain to show to the signer");
  run->add_option("--signer-tls-key", options.signer_tls.key, "PEM private key of that certificate");
  run->add_option("--password-file", options.password_file,
                  "file with the password of the encrypted key files; without it, it is asked for");
  AddListOption(*run, "--beacon", options.beacons,
                "HOST:PORT (IPv6: [HOST]:PORT) of the beacon; several, separated by commas or by naming the option "
                "again, best first",
                rpc::AddressError);
  run->add_flag("--broadcast", options.broadcast,
                "hand in blocks and votes to every beacon, not only to the one in use");
  run->add_option("--genesis", options.network.genesis_dir,
                  "genesis folder of the network to work for; without it and --genesis-root, a beacon's word is taken, "
                  "and signed for up to a bound");
  run->add_option("--genesis-root", options.network.genesis_root,
                  "root of the genesis block of the network to work for, as hex");
  run->add_option("--slot-ms", options.network.slot_ms,
                  "slot duration in milliseconds, where no network.yaml tells it [4000]");
  run->add_option("--allow-slots-to", options.allow_slots_to,
                  "slot up to which keys may sign although their records end far below and the network is not named");
  run->add_option("--records", options.records,
                  "database of what the keys have signed; made if it is not there [signing_records.sqlite beside the "
                  "keystores]");
  run->add_flag("--new-keys", options.new_keys,
                "start although keys without records have votes on the chain: only for keys that no other machine has "
                "signed with");
  run->add_flag("!--no-watch", options.watch,
                "do not watch for a second client with the same keys before the first signature (it is watched for as "
                "long as the client runs)");
  run->add_option("--keymanager-address", options.keymanager.address,
                  "HOST:PORT (IPv6: [HOST]:PORT) or unix:PATH to serve the KeymanagerService on, for keys to come and "
                  "go; without it, it is off")
      ->check(rpc::AddressError);
  run->add_option("--keymanager-token-file", options.keymanager.token_file,
                  "file with the token that callers show; made if it is not there [keymanager_token beside the "
                  "keystores]");
  run->add_option("--keymanager-tls-cert", options.keymanager.tls.cert, "PEM certificate chain: serve with TLS");
  run->add_option("--keymanager-tls-key", options.keymanager.tls.key, "PEM private key of the certificate");
  run->add_option("--keymanager-tls-client-ca", options.keymanager.tls.client_ca,
                  "PEM authority that callers' certificates must be of, in place of a token");
  run->add_option("--metrics-address", options.metrics_address,
                  "HOST:PORT (IPv6: [HOST]:PORT), or PORT on 127.0.0.1, to serve metrics for Prometheus on; without "
                  "it, it is off")
      ->check(metrics::AddressError);
  run->add_option("--tls-ca", options.tls.server_ca, "PEM authority of the beacon's certificate: connect with TLS");
  run->add_option("--tls-cert", options.tls.cert, "PEM certificate chain of this client");
  run->add_option("--tls-key", options.tls.key, "PEM private key of that certificate");
}

CLI::App* AddSignServer(CLI::App& app, SignServerOptions& options) {
  CLI::App* server =
      app.add_subcommand("sign-server", "Hold keys and sign for other validator clients (lean.v1.Signer)");
  server->add_option("--keystores", options.keystores, "YAML list of validators and their key files")->required();
  server->add_option("--password-file", options.password_file,
                     "file with the password of the encrypted key files; without it, it is asked for");
  server->add_option("--genesis", options.network.genesis_dir, "genesis folder of the network")->required();
  server->add_option("--slot-ms", options.network.slot_ms,
                     "slot duration in milliseconds, where no network.yaml tells it [4000]");
  server->add_option("--records", options.records, "database of what was signed, made if it is not there")->required();
  server->add_flag("--new-keys", options.new_keys, "the keys that have no records never signed anything");
  server
      ->add_option("--listen", options.listen,
                   "unix:PATH in a private folder, or HOST:PORT (IPv6: [HOST]:PORT) with the three options that follow")
      ->check(rpc::AddressError)
      ->required();
  server->add_option("--tls-cert", options.tls.cert, "PEM certificate chain");
  server->add_option("--tls-key", options.tls.key, "PEM private key of the certificate");
  server->add_option("--tls-client-ca", options.tls.client_ca, "PEM authority that clients' certificates must be of");
  return server;
}

struct RecordsCommands {
  RecordsOptions options;
  CLI::App* export_command = nullptr;
  CLI::App* import_command = nullptr;
};

void AddRecords(CLI::App& app, RecordsCommands& commands) {
  CLI::App* records = app.add_subcommand("records", "What the keys have signed; the client must be stopped");
  records->require_subcommand(1);
  commands.export_command = records->add_subcommand("export", "Write it to a JSON file, to be imported elsewhere");
  commands.export_command->add_option("--output", commands.options.file, "new file")->required();
  commands.export_command->add_flag("--highest-only", commands.options.highest_only,
                                    "only the highest slot of each key, without roots");
  commands.import_command = records->add_subcommand("import", "Merge a JSON file of another machine");
  commands.import_command->add_option("--input", commands.options.file, "file of `records export`")->required();
  for (CLI::App* command : {commands.export_command, commands.import_command}) {
    CLI::Option_group* where = command->add_option_group("where", "one of them at least");
    where->add_option("--records", commands.options.records, "database");
    where->add_option("--keystores", commands.options.keystores,
                      "YAML list: the database beside it, unless --records is given");
    where->require_option(1, 2);
  }
}

int Main(int argc, char** argv) {
  if (!OpenStandardDescriptors()) return kExitFailure;
  // Before the first thread: threads inherit the blocked signals.
  StopSignals signals;
  RaiseDescriptorLimit();
  // Before the first secret is read.
  const absl::Status unlocked = ProtectSecretMemory();

  Program program("lean-validator", "validator client");
  CLI::App& app = program.app();
  RunOptions run;
  AddRun(app, run);
  KeysCli keys(app);
  const KeymanagerCli keymanager(app);
  SignServerOptions sign_server;
  const CLI::App* sign_server_command = AddSignServer(app, sign_server);
  RecordsCommands records;
  AddRecords(app, records);
  if (const std::optional<int> code = program.Parse(argc, argv); code.has_value()) return *code;

  const auto log = program.Log();
  rpc::RouteGrpcLog(log);
  if (!unlocked.ok()) log->warn("secrets not locked in memory message=\"{}\"", std::string(unlocked.message()));
  if (sign_server_command->parsed()) return program.Report(SignServer(sign_server, signals, log));
  if (app.got_subcommand("run")) return program.Report(Run(run, signals, log));
  bool usage = false;
  if (keys.parsed()) {
    const absl::Status status = keys.Run(signals, &usage);
    return program.Report(status, usage);
  }
  if (keymanager.parsed()) {
    const absl::Status status = keymanager.Run(signals, std::cout, &usage);
    return program.Report(status, usage);
  }
  // A signal may end the other commands at any moment: their files are complete, or are recognised as incomplete.
  signals.LetEnd();
  if (records.export_command->parsed()) return program.Report(ExportRecords(records.options, std::cout));
  return program.Report(ImportRecords(records.options, std::cout));
}

}  // namespace
}  // namespace lean::validator

int main(int argc, char** argv) { return lean::validator::Main(argc, argv); }
