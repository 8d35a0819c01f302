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
  NetworkOptions network;     // has a genesis folder, which gives the times of the slots
  std::string records;        // signing records
  bool new_keys = false;      // keys without records may sign
  std::string listen;         // unix:PATH, or HOST:PORT with TLS that requires client certificates
  rpc::ServerTlsFiles tls;
};

// Serves signatures until a signal to stop. Returns OK after a signal, when everything has ended, otherwise the error
// that ended it. Without `new_keys`, refuses keys without records, which may have signed with other records.
absl::Status SignServer(const SignServerOptions& options, StopSignals& signals,
                        const std::shared_ptr<spdlog::logger>& log);

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_COMMANDS_SIGN_SERVER_H_
