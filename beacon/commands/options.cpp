#include "beacon/commands/options.h"

#include "beacon/http/http_service.h"
#include "beacon/network/engine/engine_stream.h"
#include "common/metrics/metrics_server.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/tls_options.h"

namespace lean::beacon {

void AddRunOptions(CLI::App& command, BeaconOptions& options) {
  CLI::App* run = &command;
  run->add_option("--genesis", options.genesis_dir, "folder with config.yaml and network.yaml")->required();
  CLI::Option* data = run->add_option("--data", options.data_dir,
                                      "folder of the chain; created if it does not exist; without it, the chain is in "
                                      "memory only");
  run->add_option("--keep-slots", options.keep_slots,
                  "delete blocks that are more than this many slots older than the finalized block; without it, none "
                  "are deleted")
      ->needs(data);
  run->add_option("--checkpoint", options.checkpoint,
                  "start from a finalized block instead of genesis: a file of `db export`, HOST:PORT (IPv6: "
                  "[HOST]:PORT) of a beacon, or http://HOST:PORT of any lean client");
  run->add_option("--checkpoint-root", options.checkpoint_root, "hex root of that block, from a source that you trust");
  run->add_option(
         "--checkpoint-tls-ca", options.checkpoint_tls_ca,
         "PEM certificates of the authority of the beacon at --checkpoint: connect with TLS, and show --tls-cert")
      ->needs("--checkpoint");
  run->add_option("--name", options.name, "name of this node in logs and answers")->capture_default_str();
  run->add_option("--rpc-address", options.rpc_address,
                  "HOST:PORT (IPv6: [HOST]:PORT) of the RPC server; port 0 takes a free one")
      ->check(rpc::AddressError)
      ->capture_default_str();
  run->add_option("--http-address", options.http.address,
                  "HOST:PORT (IPv6: [HOST]:PORT) of the HTTP server for tools of lean Ethereum, or off; without it, "
                  "127.0.0.1:5058, if that is free")
      ->check(HttpAddressError);
  run->add_option("--http-tls-cert", options.http.tls_cert, "PEM certificate chain of the HTTP server");
  run->add_option("--http-tls-key", options.http.tls_key, "PEM private key of that certificate");
  run->add_option(
         "--metrics-address", options.metrics_address,
         "HOST:PORT (IPv6: [HOST]:PORT), or PORT on 127.0.0.1, of the metrics for Prometheus; without it, there "
         "are none")
      ->check(metrics::AddressError);
  rpc::AddServerTlsOptions(*run, "--tls", options.tls);
  run->add_flag("--insecure-rpc", options.insecure_rpc,
                "serve everybody who reaches --rpc-address, without client certificates");
  run->add_option(
         "--network-engine", options.network_engine,
         "unix:PATH of the network engine (lean-p2p), which connects to peers; without it, there are no peers. "
         "127.0.0.1:PORT is for tests")
      ->check([](const std::string& text) { return std::string(EngineStream::CheckAddress(text).message()); });
}

void AddCerts(CLI::App& app, CertsOptions& options) {
  CLI::App* certs = app.add_subcommand("certs", "Make certificates, so that only your own machines may connect");
  certs->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = certs->add_subcommand(name, what);
    command->add_option("--folder", options.folder, "folder of the authority and of all nodes")->required();
    command->add_option("--days", options.days, "how long the certificates are valid")
        ->check(CLI::Range(int64_t{1}, kMostDays))
        ->capture_default_str();
    return command;
  };
  for (CLI::App* command : {add("new", "Make an authority and certificates of nodes in a new folder"),
                            add("add", "Make certificates of more nodes in a folder of `certs new`")}) {
    command->add_option("--beacon", options.beacons,
                        "NAME=HOST,...: a beacon, and the DNS names or IP addresses at which it is reached; several");
    command->add_option("--signer", options.signers, "NAME=HOST,...: a signer (lean-validator sign-server); several");
    command->add_option("--validator", options.validators,
                        "NAME or NAME=HOST,...: a validator client, and where its keymanager is reached; several");
    command->add_option("--operator", options.operators, "NAME of a person who administers keys and data; several");
    command->add_option("--reader", options.readers, "NAME of a person or program that only queries; several");
  }
  CLI::App* renew = add("renew", "Replace certificates in such a folder by ones that begin today, with the same keys");
  renew->add_option("--name", options.names, "node to renew; several; without it, all");
}

absl::Status RunCerts(const CLI::App& app, const CertsOptions& options) {
  const CLI::App& certs = *app.get_subcommand("certs");
  if (certs.got_subcommand("new")) return MakeCertificates(options);
  if (certs.got_subcommand("add")) return AddCertificates(options);
  return RenewCertificates(options);
}

void AddGenesis(CLI::App& app, GenesisOptions& options) {
  CLI::App* genesis = app.add_subcommand("genesis", "Create the genesis folder of a new network");
  genesis->add_option("--output", options.output_dir, "folder to create")->required();
  CLI::Option* time = genesis->add_option("--genesis-time", options.genesis_time, "start of slot 0, Unix seconds");
  genesis->add_option("--genesis-delay", options.delay_s, "start of slot 0, seconds from now")->excludes(time);
  genesis
      ->add_option("--pubkeys-from", options.pubkeys_from,
                   "[NODE=]FILE with `index` and `pubkey` of validators, and the node that runs them; several")
      ->required();
  genesis->add_option("--slot-ms", options.network.slot_duration_ms, "slot duration, milliseconds")
      ->capture_default_str();
  genesis->add_option("--xmss-log-lifetime", options.network.xmss_log_lifetime, "a key has 2^N leaves: 32, 16 or 8")
      ->capture_default_str();
  genesis->add_option("--network-name", options.network.name, "name of the network")->capture_default_str();
  genesis->add_option("--active-epoch", options.active_epoch, "log2 of the slots the keys are active for; informative")
      ->capture_default_str();
}

void AddDb(CLI::App& app, DbOptions& options) {
  CLI::App* db = app.add_subcommand("db", "Inspect, check or shrink a data folder that no beacon is using");
  db->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = db->add_subcommand(name, what);
    command->add_option("--data", options.data_dir, "the folder of `run --data`")->required();
    return command;
  };
  add("inspect", "Print what the folder holds");
  add("verify", "Check that the content is consistent; if it is not, say what to do");
  CLI::App* prune = add("prune", "Free space: delete the bodies of orphaned blocks and most old snapshots");
  prune->add_option("--snapshot-slots", options.prune.snapshot_slots, "keep one old snapshot in this many slots")
      ->capture_default_str();
  prune->add_option("--keep-slots", options.prune.keep_slots,
                    "also delete blocks that are more than this many slots older than the finalized block; without it, "
                    "none are deleted");
  CLI::App* output =
      add("export", "Write the finalized block and its state to a file for `run --checkpoint`, or finalized blocks");
  output->add_option("--output", options.output, "file to create")->required();
  output->add_option("--blocks", options.blocks,
                     "FROM..TO: write the finalized blocks of these slots instead, both ends included");
}

absl::Status RunDb(const CLI::App& app, const DbOptions& options, const std::stop_token& stop, spdlog::logger& log) {
  const CLI::App& db = *app.get_subcommand("db");
  if (db.got_subcommand("inspect")) return InspectFolder(options.data_dir, stop);
  if (db.got_subcommand("verify")) return VerifyFolder(options.data_dir, stop, log);
  if (db.got_subcommand("prune")) return PruneFolder(options.data_dir, options.prune, stop);
  if (!options.blocks.empty()) return ExportBlocks(options.data_dir, options.blocks, options.output, stop);
  return ExportCheckpoint(options.data_dir, options.output, stop);
}

}  // namespace lean::beacon
