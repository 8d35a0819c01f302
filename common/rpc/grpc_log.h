// Redirects gRPC's own log lines.
#ifndef LEAN_COMMON_RPC_GRPC_LOG_H_
#define LEAN_COMMON_RPC_GRPC_LOG_H_

#include <memory>

#include "common/log/logger.h"

namespace lean::rpc {

// Writes gRPC's log lines to our log from now on, at debug level, because our errors already say what an operator needs
// to know. Only failed handshakes of TLS are warnings, once a minute. Affects the whole process; call it first in main.
void RouteGrpcLog(std::shared_ptr<spdlog::logger> log);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_GRPC_LOG_H_
