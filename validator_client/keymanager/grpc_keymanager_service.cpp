#include "validator_client/keymanager/grpc_keymanager_service.h"

#include "absl/strings/strip.h"
#include "common/rpc/status.h"

namespace lean::validator {
namespace {

constexpr char kHeader[] = "authorization";
constexpr char kScheme[] = "Bearer ";

}  // namespace

absl::Status GrpcKeymanagerService::CheckCaller(const grpc::CallbackServerContext& context) const {
  if (!token_.has_value()) return absl::OkStatus();
  const auto& metadata = context.client_metadata();
  const auto header = metadata.find(kHeader);
  absl::string_view shown;
  if (header != metadata.end()) shown = {header->second.data(), header->second.size()};
  if (absl::ConsumePrefix(&shown, kScheme) && token_->Matches(shown)) return absl::OkStatus();
  return rpc::MakeError(absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED",
                        "show the token of this client's token file: 'authorization: Bearer TOKEN'");
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* GrpcKeymanagerService::Run(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
    absl::StatusOr<Response> (KeymanagerRequests::*method)(const Request&)) {
  if (absl::Status status = CheckCaller(*context); !status.ok())
    return dispatcher_.Refuse(context, *request, response, status);
  // Not by way of `this`: GCC 12's undefined-behaviour sanitizer reads it uninitialized before `.*`.
  return dispatcher_.Run<Request, Response>(
      context, request, response,
      [&requests = requests_, method](const Request& decoded, const rpc::Reply<Response>& reply) {
        reply((requests.*method)(decoded));
      });
}

grpc::ServerUnaryReactor* GrpcKeymanagerService::ListKeystores(grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request,
                                                               grpc::ByteBuffer* response) {
  return Run(context, request, response, &KeymanagerRequests::ListKeystores);
}

grpc::ServerUnaryReactor* GrpcKeymanagerService::ImportKeystores(grpc::CallbackServerContext* context,
                                                                 const grpc::ByteBuffer* request,
                                                                 grpc::ByteBuffer* response) {
  return Run(context, request, response, &KeymanagerRequests::ImportKeystores);
}

grpc::ServerUnaryReactor* GrpcKeymanagerService::DeleteKeystores(grpc::CallbackServerContext* context,
                                                                 const grpc::ByteBuffer* request,
                                                                 grpc::ByteBuffer* response) {
  return Run(context, request, response, &KeymanagerRequests::DeleteKeystores);
}

grpc::ServerUnaryReactor* GrpcKeymanagerService::ExportSigningRecords(grpc::CallbackServerContext* context,
                                                                      const grpc::ByteBuffer* request,
                                                                      grpc::ByteBuffer* response) {
  return Run(context, request, response, &KeymanagerRequests::ExportSigningRecords);
}

grpc::ServerUnaryReactor* GrpcKeymanagerService::ImportSigningRecords(grpc::CallbackServerContext* context,
                                                                      const grpc::ByteBuffer* request,
                                                                      grpc::ByteBuffer* response) {
  return Run(context, request, response, &KeymanagerRequests::ImportSigningRecords);
}

}  // namespace lean::validator
