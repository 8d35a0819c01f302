#include "validator_client/commands/options.h"

#include "common/metrics/metrics_server.h"
#include "common/process/program.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/tls_options.h"

namespace lean::validator {

void AddRunOptions(CLI::App& command, RunOptions& options) {
  CLI::App* run = &command;
  CLI::Option_group* keys = run->add_option_group("Keys");
  keys->add_option("--keystores", options.keystores, "YAML list of validators and their key files");
  keys->add_option("--signer", options.signer,
                   "unix:PATH or HOST:PORT (IPv6: [HOST]:PORT) of a signer that has the keys and the records "
                   "(lean-validator sign-server)")
      ->check(rpc::AddressError);
  keys->require_option(1);
  rpc::AddClientTlsOptions(*run, "--signer-tls", "the signer", options.signer_tls);
  run->add_option("--password-file", options.password_file,
                  "file with the password of the encrypted key files; without it, the program asks on the terminal");
  AddListOption(
      *run, "--beacon", options.beacons,
      "HOST:PORT (IPv6: [HOST]:PORT) of the beacon; several, the best first, are separated by commas or given "
      "by repeating the option",
      rpc::AddressError);
  run->add_flag("--broadcast", options.broadcast, "submit blocks and votes to all beacons, not only to the one in use");
  run->add_option("--genesis", options.network.genesis_dir,
                  "genesis folder of the network; without it and --genesis-root, the client believes a beacon and "
                  "signs for a limited number of slots ahead of its records");
  run->add_option("--genesis-root", options.network.genesis_root, "root of the genesis block of the network, as hex");
  run->add_option("--slot-ms", options.network.slot_ms,
                  "slot duration in milliseconds if there is no network.yaml [4000]");
  run->add_option(
      "--allow-slots-to", options.allow_slots_to,
      "slot up to which keys may sign although their records end far below it and the network is not named");
  run->add_option("--records", options.records,
                  "database of what the keys have signed; created if it does not exist [signing_records.sqlite beside "
                  "the keystores]");
  run->add_flag("--new-keys", options.new_keys,
                "start although keys without records have votes on the chain: only for keys that no other machine has "
                "signed with");
  run->add_flag("!--no-watch", options.watch,
                "do not wait and watch for a second client with the same keys before the first signature (the client "
                "always watches for one while it runs)");
  run->add_option("--keymanager-address", options.keymanager.address,
                  "HOST:PORT (IPv6: [HOST]:PORT) or unix:PATH of the KeymanagerService, which adds and removes keys; "
                  "without it, there is none")
      ->check(rpc::AddressError);
  run->add_option("--keymanager-token-file", options.keymanager.token_file,
                  "file with the token that callers must show; created if it does not exist [keymanager_token beside "
                  "the keystores]");
  rpc::AddServerTlsOptions(*run, "--keymanager-tls", options.keymanager.tls);
  run->add_flag("--insecure-rpc", options.keymanager.insecure,
                "let other machines reach --keymanager-address with the token alone, without client certificates");
  run->add_option(
         "--metrics-address", options.metrics_address,
         "HOST:PORT (IPv6: [HOST]:PORT), or PORT on 127.0.0.1, of the metrics for Prometheus; without it, there "
         "are none")
      ->check(metrics::AddressError);
  rpc::AddClientTlsOptions(*run, "--tls", "the beacons", options.tls);
}

void AddSignServerOptions(CLI::App& command, SignServerOptions& options) {
  CLI::App* server = &command;
  server->add_option("--keystores", options.keystores, "YAML list of validators and their key files")->required();
  server->add_option("--password-file", options.password_file,
                     "file with the password of the encrypted key files; without it, the program asks on the terminal");
  server->add_option("--genesis", options.network.genesis_dir, "genesis folder of the network")->required();
  server->add_option("--slot-ms", options.network.slot_ms,
                     "slot duration in milliseconds if there is no network.yaml [4000]");
  server
      ->add_option("--records", options.records, "database of what the keys have signed; created if it does not exist")
      ->required();
  server->add_flag("--new-keys", options.new_keys, "the keys that have no records have never signed anything");
  server
      ->add_option(
          "--listen", options.listen,
          "unix:PATH in a private folder, or HOST:PORT (IPv6: [HOST]:PORT) with --tls-dir or the three --tls options")
      ->check(rpc::AddressError)
      ->required();
  rpc::AddServerTlsOptions(*server, "--tls", options.tls);
}

void AddRecords(CLI::App& app, RecordsOptions& options) {
  CLI::App* records = app.add_subcommand("records", "Export or import the signing records; the client must be stopped");
  records->require_subcommand(1);
  CLI::App* export_command =
      records->add_subcommand("export", "Write the records to a JSON file, to import them on another machine");
  export_command->add_option("--output", options.file, "new file")->required();
  export_command->add_flag("--highest-only", options.highest_only, "only the highest slot of each key, without roots");
  export_command->add_option("--format", options.form, "our own form, or EIP-3076's without anything that it lacks")
      ->check(CLI::IsMember({"lean", "eip-3076"}))
      ->capture_default_str();
  export_command->add_option("--genesis-validators-root", options.genesis_validators_root,
                             "32 bytes of hex for EIP-3076's metadata [zeros: the records hold on all networks]");
  CLI::App* import_command = records->add_subcommand("import", "Merge a JSON file of another machine into the records");
  import_command->add_option("--input", options.file, "file of `records export`, in either form")->required();
  CLI::App* raise = records->add_subcommand(
      "raise", "Close all slots up to one for the keys of a list: for keys whose records are lost or went back");
  raise->add_option("--slot", options.slot, "last slot that is closed")->required();
  raise->add_option("--records", options.records, "database [signing_records.sqlite beside the keystores]");
  raise->add_option("--keystores", options.keystores, "YAML list of the keys")->required();
  for (CLI::App* command : {export_command, import_command}) {
    CLI::Option_group* where = command->add_option_group("where", "at least one of them");
    where->add_option("--records", options.records, "database");
    where->add_option("--keystores", options.keystores,
                      "YAML list of the keys; the database is beside it unless --records is given");
    where->require_option(1, 2);
  }
}

}  // namespace lean::validator
