#include "validator_client/signing/grpc_signer_service.h"

namespace lean::validator {

template <typename Request, typename Response>
grpc::ServerUnaryReactor* GrpcSignerService::Run(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response,
                                                 absl::StatusOr<Response> (SignRequests::*method)(const Request&)
                                                     const) {
  // Not by way of `this`: GCC 12's undefined-behaviour sanitizer reads it uninitialized before `.*`.
  return dispatcher_.Run<Request, Response>(
      context, request, response,
      [&requests = requests_, method](const Request& decoded, const rpc::Reply<Response>& reply) {
        reply((requests.*method)(decoded));
      });
}

grpc::ServerUnaryReactor* GrpcSignerService::ListKeys(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(context, request, response, &SignRequests::ListKeys);
}

grpc::ServerUnaryReactor* GrpcSignerService::SignVotes(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(context, request, response, &SignRequests::SignVotes);
}

grpc::ServerUnaryReactor* GrpcSignerService::SignBlock(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return Run(context, request, response, &SignRequests::SignBlock);
}

}  // namespace lean::validator
