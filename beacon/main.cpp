// lean-beacon: `run` runs a beacon, `genesis` creates a network, `db` works on a data folder.
#include <cstdio>
#include <optional>
#include <stop_token>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "beacon/commands/commands.h"
#include "beacon/network/engine/engine_stream.h"
#include "common/metrics/metrics_server.h"
#include "common/process/descriptors.h"
#include "common/process/program.h"
#include "common/process/standard_streams.h"
#include "common/process/stop_signals.h"
#include "common/rpc/connections/address.h"
#include "common/rpc/grpc_log.h"

namespace lean::beacon {
namespace {

void AddRun(CLI::App& app, BeaconOptions& options) {
  CLI::App* run = app.add_subcommand("run", "Serve the chain of a genesis folder until SIGINT, SIGTERM or SIGHUP");
  run->add_option("--genesis", options.genesis_dir, "folder with config.yaml and network.yaml")->required();
  CLI::Option* data = run->add_option("--data", options.data_dir,
                                      "folder that the chain is kept in, made if it is not there; without: memory");
  run->add_option("--keep-slots", options.keep_slots,
                  "drop blocks further than this behind finality from it; without: none of them")
      ->needs(data);
  run->add_option("--checkpoint", options.checkpoint,
                  "begin at a finalized block instead of genesis: a file of `db export`, or HOST:PORT (IPv6: "
                  "[HOST]:PORT) of a beacon");
  run->add_option("--checkpoint-root", options.checkpoint_root, "hex root of that block, from somebody you trust");
  run->add_option("--name", options.name, "name of this node in logs and answers")->capture_default_str();
  run->add_option("--rpc-address", options.rpc_address,
                  "HOST:PORT (IPv6: [HOST]:PORT) to serve on; port 0 takes a free one")
      ->check(rpc::AddressError)
      ->capture_default_str();
  run->add_option("--metrics-address", options.metrics_address,
                  "HOST:PORT (IPv6: [HOST]:PORT), or PORT on 127.0.0.1, to serve metrics for Prometheus on; without "
                  "it, it is off")
      ->check(metrics::AddressError);
  run->add_option("--tls-cert", options.tls.cert, "PEM certificate chain: serve with TLS");
  run->add_option("--tls-key", options.tls.key, "PEM private key of the certificate");
  run->add_option("--tls-client-ca", options.tls.client_ca, "PEM authority that clients' certificates must be of");
  run->add_option("--network-engine", options.network_engine,
                  "unix:PATH of the network engine (lean-p2p) that has the peers; without: no peers. 127.0.0.1:PORT is "
                  "for tests")
      ->check([](const std::string& text) { return std::string(EngineStream::CheckAddress(text).message()); });
}

void AddGenesis(CLI::App& app, GenesisOptions& options) {
  CLI::App* genesis = app.add_subcommand("genesis", "Make the genesis folder of a new network");
  genesis->add_option("--output", options.output_dir, "folder to make")->required();
  CLI::Option* time = genesis->add_option("--genesis-time", options.genesis_time, "when slot 0 begins, Unix seconds");
  genesis->add_option("--genesis-delay", options.delay_s, "the same, seconds from now")->excludes(time);
  genesis
      ->add_option("--pubkeys-from", options.pubkeys_from,
                   "[NODE=]FILE with `index` and `pubkey` of validators, and the node that runs them; several")
      ->required();
  genesis->add_option("--slot-ms", options.network.slot_duration_ms, "slot duration, milliseconds")
      ->capture_default_str();
  genesis->add_option("--xmss-log-lifetime", options.network.xmss_log_lifetime, "a key has 2^this leaves: 32, 16 or 8")
      ->capture_default_str();
  genesis->add_option("--network-name", options.network.name, "name of the network")->capture_default_str();
  genesis->add_option("--active-epoch", options.active_epoch, "log2 of the slots the keys are active for; informative")
      ->capture_default_str();
}

struct DbOptions {
  std::string data_dir;
  std::string output;
  std::string blocks;
  PruneRequest prune;
};

void AddDb(CLI::App& app, DbOptions& options) {
  CLI::App* db = app.add_subcommand("db", "Look after a data folder that no beacon uses at the moment");
  db->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = db->add_subcommand(name, what);
    command->add_option("--data", options.data_dir, "the folder of `run --data`")->required();
    return command;
  };
  add("inspect", "What is in it");
  add("verify", "Compare everything in it with everything else, and tell what to do if something is wrong");
  CLI::App* prune = add("prune", "Give space back: drop orphans' bodies and most old snapshots");
  prune->add_option("--snapshot-slots", options.prune.snapshot_slots, "of old snapshots keep one in this many slots")
      ->capture_default_str();
  prune->add_option("--keep-slots", options.prune.keep_slots,
                    "also drop finalized blocks further than this behind finality; without: none of them");
  CLI::App* output =
      add("export", "Write the finalized block and its state as a file for `run --checkpoint`, or blocks");
  output->add_option("--output", options.output, "file to make")->required();
  output->add_option("--blocks", options.blocks,
                     "FROM..TO: the finalized blocks of these slots, both included, instead");
}

absl::Status RunDb(const CLI::App& app, const DbOptions& options, const std::stop_token& stop, spdlog::logger& log) {
  const CLI::App& db = *app.get_subcommand("db");
  if (db.got_subcommand("inspect")) return InspectFolder(options.data_dir, stop);
  if (db.got_subcommand("verify")) return VerifyFolder(options.data_dir, stop, log);
  if (db.got_subcommand("prune")) return PruneFolder(options.data_dir, options.prune, stop);
  if (!options.blocks.empty()) return ExportBlocks(options.data_dir, options.blocks, options.output, stop);
  return ExportCheckpoint(options.data_dir, options.output, stop);
}

int Main(int argc, char** argv) {
  if (!OpenStandardDescriptors()) return kExitFailure;
  // Before any thread starts, since threads inherit the blocked signals.
  StopSignals signals;
  RaiseDescriptorLimit();

  Program program("lean-beacon", "beacon");
  CLI::App& app = program.app();
  BeaconOptions run;
  AddRun(app, run);
  GenesisOptions genesis;
  AddGenesis(app, genesis);
  DbOptions db;
  AddDb(app, db);
  if (const std::optional<int> code = program.Parse(argc, argv); code.has_value()) return *code;

  const auto log = program.Log();
  rpc::RouteGrpcLog(log);
  if (app.got_subcommand("run")) return program.Report(Run(run, signals, log));
  if (app.got_subcommand("db")) {
    return program.Report(RunStoppable(
        signals, [&](const std::stop_token& stop) { return RunDb(app, db, stop, *log); },
        [&](const char* signal) { log->info("stopping signal={}", signal); }));
  }
  // An interrupted run leaves nothing that looks like a genesis folder.
  signals.LetEnd();
  return program.Report(MakeGenesisFolder(genesis));
}

}  // namespace
}  // namespace lean::beacon

int main(int argc, char** argv) { return lean::beacon::Main(argc, argv); }
