// BeaconService and DutyService as gRPC calls them: each method hands its call to a dispatcher and a handler.
#ifndef LEAN_BEACON_RPC_GRPC_SERVICES_H_
#define LEAN_BEACON_RPC_GRPC_SERVICES_H_

#include <atomic>
#include <memory>

#include "beacon/rpc/beacon_queries.h"
#include "beacon/rpc/duties.h"
#include "beacon/rpc/submissions.h"
#include "common/rpc/unary_call.h"
#include "lean/v1/beacon.grpc.pb.h"
#include "lean/v1/validator.grpc.pb.h"

namespace lean::beacon {

// clang-format off
using RawBeaconService =
    v1::BeaconService::WithRawCallbackMethod_GetHead<
    v1::BeaconService::WithRawCallbackMethod_GetChainStatus<
    v1::BeaconService::WithRawCallbackMethod_GetBlock<
    v1::BeaconService::WithRawCallbackMethod_GetState<
    v1::BeaconService::WithRawCallbackMethod_GetValidators<
    v1::BeaconService::WithRawCallbackMethod_GetForkChoice<
    v1::BeaconService::WithRawCallbackMethod_GetSpec<
    v1::BeaconService::WithRawCallbackMethod_GetGenesis<
    v1::BeaconService::WithRawCallbackMethod_GetNodeInfo<
    v1::BeaconService::WithRawCallbackMethod_GetPeers<
    v1::BeaconService::WithRawCallbackMethod_GetCheckpoint<
    v1::BeaconService::Service>>>>>>>>>>>;

using RawDutyService =
    v1::DutyService::WithRawCallbackMethod_GetDuties<
    v1::DutyService::WithRawCallbackMethod_BuildBlock<
    v1::DutyService::WithRawCallbackMethod_BuildVote<
    v1::DutyService::WithRawCallbackMethod_SubmitBlock<
    v1::DutyService::WithRawCallbackMethod_SubmitVote<
    v1::DutyService::WithRawCallbackMethod_SubmitVotes<
    v1::DutyService::WithRawCallbackMethod_GetLiveness<
    v1::DutyService::Service>>>>>>>;
// clang-format on

// Thread-safe. Handlers and dispatcher outlive the service.
class GrpcBeaconService final : public RawBeaconService {
 public:
  GrpcBeaconService(const BeaconQueries& queries, rpc::Dispatcher& dispatcher)
      : queries_(queries), dispatcher_(dispatcher) {}

  // What GetNodeInfo tells; known once the server listens, until then the call is refused as UNAVAILABLE.
  void SetNodeInfo(std::shared_ptr<const NodeInfo> node) { node_.store(std::move(node)); }

  grpc::ServerUnaryReactor* GetHead(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetChainStatus(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetBlock(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetValidators(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetForkChoice(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetSpec(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                    grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetGenesis(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetNodeInfo(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetPeers(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;

 private:
  const BeaconQueries& queries_;
  rpc::Dispatcher& dispatcher_;
  std::atomic<std::shared_ptr<const NodeInfo>> node_;
};

// Thread-safe. Handlers and dispatcher outlive the service.
class GrpcDutyService final : public RawDutyService {
 public:
  GrpcDutyService(const Duties& duties, const Submissions& submissions, CallerBook& callers,
                  rpc::Dispatcher& dispatcher)
      : duties_(duties), submissions_(submissions), callers_(callers), dispatcher_(dispatcher) {}

  grpc::ServerUnaryReactor* GetDuties(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* BuildBlock(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* BuildVote(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* SubmitBlock(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* SubmitVote(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* SubmitVotes(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetLiveness(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

 private:
  // Refused as OVERLOADED before it is decoded, when the caller has used up its share of the slot.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response,
                                   void (Submissions::*method)(const rpc::Caller&, const Request&, rpc::Reply<Response>)
                                       const);

  const Duties& duties_;
  const Submissions& submissions_;
  CallerBook& callers_;
  rpc::Dispatcher& dispatcher_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_GRPC_SERVICES_H_
