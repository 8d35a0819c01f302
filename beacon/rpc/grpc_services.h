// BeaconService and DutyService as gRPC services: each is a table of handlers.
#ifndef LEAN_BEACON_RPC_GRPC_SERVICES_H_
#define LEAN_BEACON_RPC_GRPC_SERVICES_H_

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "beacon/rpc/beacon_queries.h"
#include "beacon/rpc/duties.h"
#include "beacon/rpc/event_streams.h"
#include "beacon/rpc/submissions.h"
#include "common/clock/clock.h"
#include "common/log/line_limit.h"
#include "common/log/logger.h"
#include "common/rpc/server/raw_service.h"
#include "common/rpc/server/unary_call.h"
#include "lean/v1/beacon.grpc.pb.h"
#include "lean/v1/validator.grpc.pb.h"

namespace lean::beacon {

// Thread-safe. Handlers and dispatcher outlive the service.
class GrpcBeaconService final : public rpc::RawService<v1::BeaconService> {
 public:
  GrpcBeaconService(const BeaconQueries& queries, EventStreams& events, rpc::Dispatcher& dispatcher);

  // Sets what GetNodeInfo answers. Until then, which is before the server listens, it fails with UNAVAILABLE.
  void SetNodeInfo(std::shared_ptr<const NodeInfo> node) { node_.store(std::move(node)); }

 private:
  absl::StatusOr<v1::GetNodeInfoResponse> DescribeNode(const v1::GetNodeInfoRequest& request) const;

  const BeaconQueries& queries_;
  std::atomic<std::shared_ptr<const NodeInfo>> node_;
};

// Thread-safe. Handlers and dispatcher outlive the service.
class GrpcDutyService final : public rpc::RawService<v1::DutyService> {
 public:
  // `clock` outlives the service.
  GrpcDutyService(const Duties& duties, const Submissions& submissions, std::shared_ptr<CallerBook> callers,
                  rpc::Dispatcher& dispatcher, const Clock& clock, std::shared_ptr<spdlog::logger> log);

 private:
  // A call fails with OVERLOADED, before it is decoded, when its caller has used up what it may do in a slot: its
  // calls, and with the next two also its blocks to build and the bytes of its submissions.
  template <typename Request>
  void HandleBounded(RawCall call);
  void HandleBuildBlock(const Duties& duties);
  // `Decoded`: Request, or what DecodeRequest makes of its bytes.
  template <typename Request, typename Decoded, typename Response>
  void HandleSubmission(void (Submissions::*method)(const rpc::Caller&, Decoded, rpc::Reply<Response>) const);

  // Also logs it, once a minute for each `share`.
  grpc::ServerUnaryReactor* RefuseMore(const char* share, grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response);

  const Submissions& submissions_;
  const std::shared_ptr<CallerBook> callers_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  LineLimit lines_;
};

}  // namespace lean::beacon

#endif  // LEAN_BEACON_RPC_GRPC_SERVICES_H_
