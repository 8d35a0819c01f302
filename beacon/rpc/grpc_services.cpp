#include "beacon/rpc/grpc_services.h"

#include <utility>

#include "common/rpc/status.h"

namespace lean::beacon {
namespace {

// A handler that answers on the spot.
template <typename Request, typename Response, typename Object>
grpc::ServerUnaryReactor* Run(rpc::Dispatcher& dispatcher, grpc::CallbackServerContext* context,
                              const grpc::ByteBuffer* request, grpc::ByteBuffer* response, const Object& object,
                              absl::StatusOr<Response> (Object::*method)(const Request&) const) {
  return dispatcher.Run<Request, Response>(
      context, request, response, [&object, method](const Request& decoded, const rpc::Reply<Response>& reply) {
        reply((object.*method)(decoded));
      });
}

}  // namespace

grpc::ServerUnaryReactor* GrpcBeaconService::GetHead(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetHead);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetChainStatus(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request,
                                                            grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetChainStatus);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetBlock(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetBlock);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetState(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetState);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetValidators(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetValidators);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetForkChoice(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetForkChoice);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetSpec(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetSpec);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetGenesis(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetGenesis);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetNodeInfo(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return dispatcher_.Run<v1::GetNodeInfoRequest, v1::GetNodeInfoResponse>(
      context, request, response,
      [this](const v1::GetNodeInfoRequest&, const rpc::Reply<v1::GetNodeInfoResponse>& reply) {
        const std::shared_ptr<const NodeInfo> node = node_.load();
        if (node == nullptr) return reply(absl::UnavailableError("the beacon is starting"));
        reply(queries_.GetNodeInfo(*node));
      });
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetPeers(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetPeers);
}

grpc::ServerUnaryReactor* GrpcBeaconService::GetCheckpoint(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, queries_, &BeaconQueries::GetCheckpoint);
}

grpc::ServerUnaryReactor* GrpcDutyService::GetDuties(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, duties_, &Duties::GetDuties);
}

grpc::ServerUnaryReactor* GrpcDutyService::BuildBlock(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, duties_, &Duties::BuildBlock);
}

grpc::ServerUnaryReactor* GrpcDutyService::BuildVote(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, duties_, &Duties::BuildVote);
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* GrpcDutyService::Submit(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response,
                                                  void (Submissions::*method)(const rpc::Caller&, const Request&,
                                                                              rpc::Reply<Response>) const) {
  const rpc::Caller caller = rpc::CallerOf(*context);
  if (!callers_.TakeShare(caller, request->Length())) {
    return dispatcher_.Refuse(context, *request, response,
                              rpc::MakeError(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                                             "this caller has submitted as much as it may in a slot; try again later"));
  }
  return dispatcher_.Run<Request, Response>(
      context, request, response,
      [&submissions = submissions_, method, caller](const Request& decoded, rpc::Reply<Response> reply) {
        (submissions.*method)(caller, decoded, std::move(reply));
      });
}

grpc::ServerUnaryReactor* GrpcDutyService::SubmitBlock(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Submit(context, request, response, &Submissions::SubmitBlock);
}

grpc::ServerUnaryReactor* GrpcDutyService::SubmitVote(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Submit(context, request, response, &Submissions::SubmitVote);
}

grpc::ServerUnaryReactor* GrpcDutyService::SubmitVotes(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Submit(context, request, response, &Submissions::SubmitVotes);
}

grpc::ServerUnaryReactor* GrpcDutyService::GetLiveness(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(dispatcher_, context, request, response, duties_, &Duties::GetLiveness);
}

}  // namespace lean::beacon
