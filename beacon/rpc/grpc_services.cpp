#include "beacon/rpc/grpc_services.h"

#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log_text.h"
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
  Handle(queries, &BeaconQueries::GetLatestVotes);
  Handle(queries, &BeaconQueries::GetParticipation);
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

GrpcDutyService::GrpcDutyService(const Duties& duties, const Submissions& submissions,
                                 std::shared_ptr<CallerBook> callers, rpc::Dispatcher& dispatcher, const Clock& clock,
                                 std::shared_ptr<spdlog::logger> log)
    : RawService(dispatcher, Role::kValidator),
      submissions_(submissions),
      callers_(std::move(callers)),
      clock_(clock),
      log_(std::move(log)) {
  HandleBounded<v1::GetDutiesRequest>(Answer(duties, &Duties::GetDuties));
  HandleBuildBlock(duties);
  HandleBounded<v1::BuildVoteRequest>(Answer(duties, &Duties::BuildVote));
  HandleBounded<v1::GetLivenessRequest>(Answer(duties, &Duties::GetLiveness));
  HandleSubmission<v1::SubmitBlockRequest>(&Submissions::SubmitBlock);
  HandleSubmission<v1::SubmitVoteRequest>(&Submissions::SubmitVote);
  HandleSubmission<v1::SubmitVotesRequest>(&Submissions::SubmitVotes);
}

template <typename Request>
void GrpcDutyService::HandleBounded(RawCall call) {
  Handle<Request>([this, call = std::move(call)](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
    if (!callers_->TakeCall(rpc::CallerOf(*context))) return RefuseMore("calls", context, request, response);
    return call(context, request, response);
  });
}

void GrpcDutyService::HandleBuildBlock(const Duties& duties) {
  using Request = v1::BuildBlockRequest;
  using Response = v1::BuildBlockResponse;
  HandleBounded<Request>([this, &duties](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
    const rpc::Caller caller = rpc::CallerOf(*context);
    std::shared_ptr<void> build = callers_->TakeBuild(caller);
    if (build == nullptr) return RefuseMore("blocks", context, request, response);
    return dispatcher_.Run<Request, Response>(
        context, request, response,
        [&duties, caller, build = std::move(build)](const Request& decoded, const rpc::Reply<Response>& reply) {
          reply(duties.BuildBlock(caller, decoded));
        });
  });
}

template <typename Request, typename Decoded, typename Response>
void GrpcDutyService::HandleSubmission(void (Submissions::*method)(const rpc::Caller&, Decoded, rpc::Reply<Response>)
                                           const) {
  HandleBounded<Request>([this, method](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
    const rpc::Caller caller = rpc::CallerOf(*context);
    if (!callers_->TakeShare(caller, request->Length())) return RefuseMore("bytes", context, request, response);
    using Value = std::remove_cvref_t<Decoded>;
    return dispatcher_.Run<Value, Response>(
        context, request, response,
        [&submissions = submissions_, method, caller](Value&& decoded, rpc::Reply<Response> reply) {
          (submissions.*method)(caller, std::move(decoded), std::move(reply));
        });
  });
}

grpc::ServerUnaryReactor* GrpcDutyService::RefuseMore(const char* share, grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  const SteadyTime now = clock_.Steady();
  lines_.LogLeftOut(now, *log_);
  const std::string cause = absl::StrCat("caller_bounded/", share);
  if (lines_.Admit(cause, now)) {
    log_->warn("caller_bounded share={} caller=\"{}\" message=\"it asks for more than a client may in a slot\"", share,
               Printable(rpc::CallerOf(*context).identity()));
  }
  return dispatcher_.Refuse(
      context, *request, response,
      rpc::MakeError(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                     absl::StrCat("this caller has used up its ", share, " of the slot; try again later")));
}

}  // namespace lean::beacon
