// Settings of gRPC for the whole process.
#ifndef LEAN_COMMON_RPC_GRPC_SETTINGS_H_
#define LEAN_COMMON_RPC_GRPC_SETTINGS_H_

#include <memory>

#include "common/log/logger.h"

namespace lean::rpc {

// Writes gRPC's log lines to our log from now on, at debug level, because our errors already say what an operator needs
// to know. Only failed handshakes of TLS are warnings, once a minute. Affects the whole process; call it first in main.
void RouteGrpcLog(std::shared_ptr<spdlog::logger> log);

// Debian's gRPC looks for possible deadlocks among its own locks whenever it takes one. This turns that off, because it
// is a part of the time of each call. Call it first in main.
void SkipGrpcLockChecks();

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_GRPC_SETTINGS_H_
