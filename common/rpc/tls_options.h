// The options of a command for the TLS of one server or client.
#ifndef LEAN_COMMON_RPC_TLS_OPTIONS_H_
#define LEAN_COMMON_RPC_TLS_OPTIONS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "common/rpc/tls_files.h"

namespace lean::rpc {

// Adds PREFIX-cert, PREFIX-key, PREFIX-client-ca, and PREFIX-dir in place of these three. `prefix`: "--tls" or
// "--keymanager-tls". `files` must live as long as `app`.
void AddServerTlsOptions(CLI::App& app, const std::string& prefix, ServerTlsFiles& files);

// Adds PREFIX-ca, PREFIX-cert, PREFIX-key and PREFIX-dir, for connections to `server` ("the beacons").
void AddClientTlsOptions(CLI::App& app, const std::string& prefix, const std::string& server, ClientTlsFiles& files);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_TLS_OPTIONS_H_
