#include "beacon/rpc/rpc_service.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "beacon/rpc/grpc_services.h"
#include "common/concurrency/worker_pool.h"

namespace lean::beacon {
namespace {

// Calls under way get this long to end when the service stops.
constexpr std::chrono::milliseconds kStopGrace{200};

// Calls that wait for a thread. Each holds its request, 16 MiB at most.
constexpr size_t kWaitingQueries = 256;
constexpr size_t kWaitingDuties = 64;
constexpr size_t kQueryThreads = 2;

size_t DutyThreads() { return std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 8); }

rpc::TrySchedule On(WorkerPool& pool) {
  return [&pool](std::function<void()> task) { return pool.TrySubmit(std::move(task)) == PushResult::kPushed; };
}

}  // namespace

// In the order of their dependence: what stands later uses what stands before it, and is destroyed first.
struct RpcService::Parts {
  explicit Parts(ServedChain served) : chain(std::move(served)) {}

  const ServedChain chain;
  const BeaconQueries queries{chain};
  const Duties duties{chain};
  const Submissions submissions{chain.service};
  WorkerPool query_pool{kQueryThreads, kWaitingQueries};
  WorkerPool duty_pool{DutyThreads(), kWaitingDuties};
  rpc::Dispatcher query_dispatcher{On(query_pool)};
  rpc::Dispatcher duty_dispatcher{On(duty_pool)};
  GrpcBeaconService beacon_service{queries, query_dispatcher};
  GrpcDutyService duty_service{duties, submissions, duty_dispatcher};
  std::unique_ptr<rpc::Server> server;
};

absl::StatusOr<std::unique_ptr<RpcService>> RpcService::Start(ServedChain chain, const RpcServiceOptions& options) {
  auto parts = std::make_unique<Parts>(std::move(chain));
  auto server = rpc::Server::Start(options.server, {{&parts->beacon_service, v1::BeaconService::service_full_name()},
                                                    {&parts->duty_service, v1::DutyService::service_full_name()}});
  if (!server.ok()) return server.status();
  parts->server = *std::move(server);
  parts->beacon_service.SetNodeInfo(std::make_shared<const NodeInfo>(
      NodeInfo{options.node_name, parts->server->address().ToString(), parts->server->tls()}));
  return std::unique_ptr<RpcService>(new RpcService(std::move(parts)));
}

RpcService::RpcService(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RpcService::~RpcService() { Stop(); }

void RpcService::Stop() {
  parts_->server->Shutdown(kStopGrace);
  // What still waits for a thread has no caller any more and is skipped.
  parts_->query_pool.Stop();
  parts_->duty_pool.Stop();
}

void RpcService::SetServing(bool serving) { parts_->server->SetServing(serving); }

void RpcService::SetDutiesServed(bool served) {
  parts_->server->SetServing(v1::DutyService::service_full_name(), served);
}

const rpc::Address& RpcService::address() const { return parts_->server->address(); }

int64_t RpcService::active_calls() const {
  return parts_->query_dispatcher.active() + parts_->duty_dispatcher.active();
}

}  // namespace lean::beacon
