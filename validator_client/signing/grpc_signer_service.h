// The Signer service as gRPC calls it: each method hands its call to a dispatcher and a handler.
#ifndef LEAN_VALIDATOR_CLIENT_SIGNING_GRPC_SIGNER_SERVICE_H_
#define LEAN_VALIDATOR_CLIENT_SIGNING_GRPC_SIGNER_SERVICE_H_

#include "common/rpc/unary_call.h"
#include "lean/v1/signer.grpc.pb.h"
#include "validator_client/signing/sign_requests.h"

namespace lean::validator {

// clang-format off
using RawSignerService =
    v1::Signer::WithRawCallbackMethod_ListKeys<
    v1::Signer::WithRawCallbackMethod_SignVotes<
    v1::Signer::WithRawCallbackMethod_SignBlock<
    v1::Signer::Service>>>;
// clang-format on

// Thread-safe. Handler and dispatcher outlive the service.
class GrpcSignerService final : public RawSignerService {
 public:
  GrpcSignerService(const SignRequests& requests, rpc::Dispatcher& dispatcher)
      : requests_(requests), dispatcher_(dispatcher) {}

  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* SignVotes(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* SignBlock(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response,
                                absl::StatusOr<Response> (SignRequests::*method)(const Request&) const);

  const SignRequests& requests_;
  rpc::Dispatcher& dispatcher_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_SIGNING_GRPC_SIGNER_SERVICE_H_
