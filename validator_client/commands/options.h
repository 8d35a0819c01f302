// The options of `lean-validator run`, `sign-server` and `records` on the command line. The functions write into their
// second argument, which must live as long as the first. AddRecords adds a subcommand.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_OPTIONS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_OPTIONS_H_

#include "CLI/CLI.hpp"
#include "validator_client/commands/records.h"
#include "validator_client/commands/sign_server.h"
#include "validator_client/commands/validator_client.h"

namespace lean::validator {

// The options of `run`, which are also those of `config check`.
void AddRunOptions(CLI::App& command, RunOptions& options);
// Those of `sign-server`, which are also those of `config check-sign-server`.
void AddSignServerOptions(CLI::App& command, SignServerOptions& options);
// `records export` and `records import`.
void AddRecords(CLI::App& app, RecordsOptions& options);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_OPTIONS_H_
