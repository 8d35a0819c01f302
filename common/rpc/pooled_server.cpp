#include "common/rpc/pooled_server.h"

#include <chrono>
#include <utility>

#include "common/status/status_macros.h"

namespace lean::rpc {
namespace {

constexpr std::chrono::milliseconds kStopGrace{200};

}  // namespace

absl::StatusOr<std::unique_ptr<PooledServer>> PooledServer::Start(const PoolOptions& pool, const ServerOptions& options,
                                                                  const std::string& name, const MakeService& make) {
  std::unique_ptr<PooledServer> pooled(new PooledServer(pool));
  pooled->service_ = make(pooled->dispatcher_);
  ServerOptions counted = options;
  counted.gate.requests = pooled->requests_;
  ASSIGN_OR_RETURN(pooled->server_, Server::Start(counted, {{pooled->service_.get(), name}}));
  return pooled;
}

PooledServer::PooledServer(const PoolOptions& pool)
    : pool_(pool),
      dispatcher_([this](const Caller& caller, Work work) { pool_.Submit(caller, Rank::kGood, std::move(work)); },
                  requests_) {}

PooledServer::~PooledServer() { Stop(); }

void PooledServer::Stop() {
  if (server_ != nullptr) server_->Shutdown(kStopGrace);
  pool_.Stop();
}

}  // namespace lean::rpc
