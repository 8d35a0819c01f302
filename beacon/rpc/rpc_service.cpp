#include "beacon/rpc/rpc_service.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "beacon/rpc/callers/caller_book.h"
#include "beacon/rpc/callers/kept_blocks.h"
#include "beacon/rpc/callers/vote_screening.h"
#include "beacon/rpc/event_streams.h"
#include "beacon/rpc/grpc_services.h"
#include "common/rpc/server/fair_pool.h"
#include "common/status/status_macros.h"
#include "lean/v1/network_engine.grpc.pb.h"

namespace lean::beacon {
namespace {

// Calls in progress get this long to end when the service stops.
constexpr std::chrono::milliseconds kStopGrace{200};

constexpr rpc::PoolOptions kQueryPool{.threads = 3, .waiting_calls = 256, .waiting_bytes = size_t{32} << 20};

// One more thread than processors, because one thread is reserved for good callers.
rpc::PoolOptions DutyPool() {
  return {.threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 8) + 1, .waiting_calls = 128};
}

rpc::Schedule On(rpc::FairPool& pool, std::shared_ptr<CallerBook> callers) {
  return [&pool, callers = std::move(callers)](const rpc::Caller& caller, rpc::Work work) {
    pool.Submit(caller, callers->RankOf(caller), std::move(work));
  };
}

VoteScreening::Submit ToChain(ChainService& service) {
  return [&service](std::vector<SignedVotePtr> votes, VoteScreening::Done done) {
    service.SubmitVotes(std::move(votes), Origin::Local(), std::move(done));
  };
}

}  // namespace

// Members use the members above them, and are destroyed before them.
struct RpcService::Parts {
  Parts(ServedChain served, std::shared_ptr<spdlog::logger> logger)
      : chain(std::move(served)), log(std::move(logger)) {}

  std::chrono::milliseconds slot() const { return std::chrono::milliseconds(chain.spec.slot_duration_ms); }

  const ServedChain chain;
  const std::shared_ptr<spdlog::logger> log;
  const std::shared_ptr<CallerBook> callers =
      std::make_shared<CallerBook>(chain.clock, slot(), chain.validator_count());
  const std::shared_ptr<VoteScreening> screening =
      std::make_shared<VoteScreening>(ToChain(chain.service), callers, chain.clock, slot(), chain.validator_count());
  const BeaconQueries queries{chain};
  const std::shared_ptr<KeptBlocks> kept_blocks = std::make_shared<KeptBlocks>(callers);
  const Duties duties{chain, *kept_blocks};
  const Submissions submissions{chain.service, callers, screening, kept_blocks};
  rpc::FairPool query_pool{kQueryPool};
  rpc::FairPool duty_pool{DutyPool()};
  const std::shared_ptr<rpc::RequestBytes> requests = std::make_shared<rpc::RequestBytes>();
  rpc::Dispatcher query_dispatcher{On(query_pool, callers), requests};
  rpc::Dispatcher duty_dispatcher{On(duty_pool, callers), requests};
  EventStreams events{chain.events, On(query_pool, callers), requests};
  GrpcBeaconService beacon_service{queries, events, query_dispatcher};
  GrpcDutyService duty_service{duties, submissions, callers, duty_dispatcher, chain.clock, log};
  std::unique_ptr<rpc::Server> server;
};

absl::StatusOr<std::unique_ptr<RpcService>> RpcService::Start(ServedChain chain, const RpcServiceOptions& options) {
  auto parts = std::make_unique<Parts>(std::move(chain), options.server.log);
  rpc::ServerOptions server_options = options.server;
  server_options.gate.requests = parts->requests;
  if (parts->chain.peers != nullptr) server_options.health_names = {v1::NetworkEngine::service_full_name()};
  ASSIGN_OR_RETURN(parts->server,
                   rpc::Server::Start(server_options, {{&parts->beacon_service, v1::BeaconService::service_full_name()},
                                                       {&parts->duty_service, v1::DutyService::service_full_name()}}));
  parts->beacon_service.SetNodeInfo(
      std::make_shared<const NodeInfo>(NodeInfo{.name = options.node_name,
                                                .rpc_address = parts->server->address().ToString(),
                                                .tls = parts->server->tls_files() != nullptr,
                                                .insecure = parts->server->open()}));
  return std::unique_ptr<RpcService>(new RpcService(std::move(parts)));
}

RpcService::RpcService(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RpcService::~RpcService() { Stop(); }

void RpcService::Stop() {
  parts_->events.Stop();
  parts_->server->Shutdown(kStopGrace);
  // Calls that still wait for a thread have no caller any more and are skipped.
  parts_->query_pool.Stop();
  parts_->duty_pool.Stop();
  parts_->screening->Stop();
}

void RpcService::SetServing(bool serving) { parts_->server->SetServing(serving); }

void RpcService::SetDutiesServed(bool served) {
  parts_->server->SetServing(v1::DutyService::service_full_name(), served);
}

void RpcService::SetEngineAttached(bool attached) {
  parts_->server->SetServing(v1::NetworkEngine::service_full_name(), attached);
}

const rpc::Server& RpcService::server() const { return *parts_->server; }

metrics::FootprintList RpcService::queues() const {
  metrics::Footprint unread = parts_->query_dispatcher.unread();
  const metrics::Footprint of_duties = parts_->duty_dispatcher.unread();
  unread.items += of_duties.items;
  unread.bytes += of_duties.bytes;
  return {parts_->screening->queue(), parts_->query_pool.queue("queries"), parts_->duty_pool.queue("duties"), unread};
}

metrics::FootprintList RpcService::caches() const {
  return {parts_->callers->footprint(), parts_->kept_blocks->footprint()};
}

const rpc::Address& RpcService::address() const { return parts_->server->address(); }

int64_t RpcService::active_calls() const {
  return parts_->query_dispatcher.active() + parts_->duty_dispatcher.active();
}

}  // namespace lean::beacon
