// `lean-validator sign-server`: holds keys and records, and signs for validator clients that have neither.
#ifndef LEAN_VALIDATOR_CLIENT_COMMANDS_SIGN_SERVER_H_
#define LEAN_VALIDATOR_CLIENT_COMMANDS_SIGN_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/log/logger.h"
#include "common/process/stop_signals.h"
#include "common/rpc/tls.h"
#include "validator_client/commands/expected_network.h"

namespace lean::validator {

struct SignServerOptions {
  std::string keystores;      // YAML list
  std::string password_file;  // of encrypted key files; empty: the terminal is asked
  NetworkOptions network;     // with a genesis folder: whence the signer knows the time of slots
  std::string records;        // signing records
  bool new_keys = false;      // keys without records may sign
  std::string listen;         // unix:PATH, or HOST:PORT with TLS that asks for clients' certificates
  rpc::ServerTlsFiles tls;
};

// Returns OK once it was asked to stop and everything has ended, or what kept it from working. Keys that the records do
// not know are refused without `new_keys`: they may have signed with other records.
absl::Status SignServer(const SignServerOptions& options, StopSignals& signals,
                        const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_SIGN_SERVER_H_
