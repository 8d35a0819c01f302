// The options of `lean-beacon` on the command line. The functions write into their second argument, which must live as
// long as the first. Each but AddRunOptions adds a subcommand.
#ifndef LEAN_BEACON_COMMANDS_OPTIONS_H_
#define LEAN_BEACON_COMMANDS_OPTIONS_H_

#include <stop_token>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "beacon/commands/certs.h"
#include "beacon/commands/commands.h"
#include "common/log/logger.h"

namespace lean::beacon {

// The options of `run`, which are also those of `config check`.
void AddRunOptions(CLI::App& command, BeaconOptions& options);
void AddGenesis(CLI::App& app, GenesisOptions& options);

void AddCerts(CLI::App& app, CertsOptions& options);
// Runs the subcommand of `certs` that `app` has parsed.
absl::Status RunCerts(const CLI::App& app, const CertsOptions& options);

struct DbOptions {
  std::string data_dir;
  std::string output;
  std::string blocks;  // FROM..TO; empty: not given
  PruneRequest prune;
};

void AddDb(CLI::App& app, DbOptions& options);
// Runs the subcommand of `db` that `app` has parsed.
absl::Status RunDb(const CLI::App& app, const DbOptions& options, const std::stop_token& stop, spdlog::logger& log);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_COMMANDS_OPTIONS_H_
