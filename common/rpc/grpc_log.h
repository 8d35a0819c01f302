// gRPC's own log lines.
#ifndef LEAN_COMMON_RPC_GRPC_LOG_H_
#define LEAN_COMMON_RPC_GRPC_LOG_H_

#include <memory>

#include "common/log/logger.h"

namespace lean::rpc {

// From here on they go to our log, at debug level: what an operator should know of a failure, our errors say.
// Process-wide; called first in main.
void RouteGrpcLog(std::shared_ptr<spdlog::logger> log);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_GRPC_LOG_H_
