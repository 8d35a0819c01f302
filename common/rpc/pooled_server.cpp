#include "common/rpc/pooled_server.h"

#include <chrono>
#include <utility>

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
  auto server = Server::Start(counted, {{pooled->service_.get(), name}});
  if (!server.ok()) return server.status();
  pooled->server_ = *std::move(server);
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
