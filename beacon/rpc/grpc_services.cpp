#include "beacon/rpc/grpc_services.h"

#include <utility>

#include "common/rpc/wire/status.h"

namespace lean::beacon {

GrpcBeaconService::GrpcBeaconService(const BeaconQueries& queries, EventStreams& events, rpc::Dispatcher& dispatcher)
    : RawService(dispatcher, Role::kReader), queries_(queries) {
  Handle(queries, &BeaconQueries::GetHead);
  Handle(queries, &BeaconQueries::GetChainStatus);
  Handle(queries, &BeaconQueries::GetBlock);
  Handle(queries, &BeaconQueries::GetState);
  Handle(queries, &BeaconQueries::GetValidators);
  Handle(queries, &BeaconQueries::GetForkChoice);
  Handle(queries, &BeaconQueries::GetSpec);
  Handle(queries, &BeaconQueries::GetGenesis);
  Handle(queries, &BeaconQueries::GetPeers);
  Handle(queries, &BeaconQueries::GetCheckpoint);
  Handle(*this, &GrpcBeaconService::DescribeNode);
  HandleStream<v1::StreamEventsRequest>(
      [&events](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
        return events.Open(context, request);
      });
}

absl::StatusOr<v1::GetNodeInfoResponse> GrpcBeaconService::DescribeNode(const v1::GetNodeInfoRequest&) const {
  const std::shared_ptr<const NodeInfo> node = node_.load();
  if (node == nullptr) return absl::UnavailableError("the beacon is starting");
  return queries_.GetNodeInfo(*node);
}

GrpcDutyService::GrpcDutyService(const Duties& duties, const Submissions& submissions, CallerBook& callers,
                                 rpc::Dispatcher& dispatcher)
    : RawService(dispatcher, Role::kValidator), submissions_(submissions), callers_(callers) {
  Handle(duties, &Duties::GetDuties);
  Handle(duties, &Duties::BuildBlock);
  Handle(duties, &Duties::BuildVote);
  Handle(duties, &Duties::GetLiveness);
  HandleSubmission(&Submissions::SubmitBlock);
  HandleSubmission(&Submissions::SubmitVote);
  HandleSubmission(&Submissions::SubmitVotes);
}

template <typename Request, typename Response>
void GrpcDutyService::HandleSubmission(void (Submissions::*method)(const rpc::Caller&, const Request&,
                                                                   rpc::Reply<Response>) const) {
  Handle<Request>([this, method](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) {
    const rpc::Caller caller = rpc::CallerOf(*context);
    if (!callers_.TakeShare(caller, request->Length())) {
      return dispatcher_.Refuse(
          context, *request, response,
          rpc::MakeError(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                         "this caller has submitted as much as it may in a slot; try again later"));
    }
    return dispatcher_.Run<Request, Response>(
        context, request, response,
        [&submissions = submissions_, method, caller](const Request& decoded, rpc::Reply<Response> reply) {
          (submissions.*method)(caller, decoded, std::move(reply));
        });
  });
}

}  // namespace lean::beacon
