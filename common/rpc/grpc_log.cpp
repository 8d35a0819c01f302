#include "common/rpc/grpc_log.h"

#include "grpc/support/log.h"
#include "spdlog/spdlog.h"

namespace lean::rpc {

void RouteGrpcLog() {
  gpr_set_log_function(
      [](gpr_log_func_args* args) { spdlog::debug("grpc {} at={}:{}", args->message, args->file, args->line); });
}

}  // namespace lean::rpc
