// The options of `lean-validator run`, `sign-server` and `records` on the command line. Each function adds a subcommand
// to `app` that writes into its second argument, which must live as long as `app`.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_OPTIONS_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_OPTIONS_H_

#include "CLI/CLI.hpp"
#include "validator_client/commands/records.h"
#include "validator_client/commands/sign_server.h"
#include "validator_client/commands/validator_client.h"

namespace lean::validator {

void AddRun(CLI::App& app, RunOptions& options);
void AddSignServer(CLI::App& app, SignServerOptions& options);
// `records export` and `records import`.
void AddRecords(CLI::App& app, RecordsOptions& options);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_OPTIONS_H_
