#include "common/rpc/grpc_log.h"

#include <utility>

#include "grpc/support/log.h"

namespace lean::rpc {

void RouteGrpcLog(std::shared_ptr<spdlog::logger> log) {
  // gRPC accepts only a plain function, so the logger must be global; gRPC's threads may outlive the objects of main.
  static auto* const kept = new std::shared_ptr<spdlog::logger>();
  *kept = std::move(log);
  gpr_set_log_function(
      [](gpr_log_func_args* args) { (*kept)->debug("grpc {} at={}:{}", args->message, args->file, args->line); });
}

}  // namespace lean::rpc
