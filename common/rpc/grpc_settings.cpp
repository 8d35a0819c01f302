#include "common/rpc/grpc_settings.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/clock/clock.h"
#include "common/log/line_limit.h"
#include "common/log/log_text.h"
#include "grpc/support/log.h"

namespace lean::rpc {
namespace {

constexpr absl::string_view kHandshakeFailed = "Handshake failed";
constexpr absl::string_view kPlainText = "wrong version number";

struct Route {
  std::shared_ptr<spdlog::logger> log;
  LineLimit lines;
  const RealClock clock{};
};

void WriteLine(Route& route, const gpr_log_func_args& args) {
  route.log->debug("grpc {} at={}:{}", args.message, args.file, args.line);
  // gRPC tells nobody else why a server has refused a client. Plain text is left out: ListenerWatch sends some.
  if (!absl::StartsWith(args.message, kHandshakeFailed) || absl::StrContains(args.message, kPlainText)) return;
  route.lines.LogLeftOut(route.clock.Steady(), *route.log);
  if (route.lines.Admit("tls_handshake_failed", route.clock.Steady())) {
    route.log->warn("tls_handshake_failed message=\"{}\"", Printable(args.message));
  }
}

}  // namespace

void RouteGrpcLog(std::shared_ptr<spdlog::logger> log) {
  // gRPC accepts only a plain function, so the logger must be global; gRPC's threads may outlive the objects of main.
  static auto* const route = new Route();
  route->log = std::move(log);
  gpr_set_log_function([](gpr_log_func_args* args) { WriteLine(*route, *args); });
}

void SkipGrpcLockChecks() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

}  // namespace lean::rpc
