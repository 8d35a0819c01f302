// The KeymanagerService as gRPC calls it: who may call is decided here, before a request is looked at.
#ifndef LEAN_VALIDATOR_CLIENT_KEYMANAGER_GRPC_KEYMANAGER_SERVICE_H_
#define LEAN_VALIDATOR_CLIENT_KEYMANAGER_GRPC_KEYMANAGER_SERVICE_H_

#include <optional>
#include <utility>

#include "common/rpc/unary_call.h"
#include "lean/v1/keymanager.grpc.pb.h"
#include "validator_client/keymanager/access_token.h"
#include "validator_client/keymanager/keymanager_requests.h"

namespace lean::validator {

// clang-format off
using RawKeymanagerService =
    v1::KeymanagerService::WithRawCallbackMethod_ListKeystores<
    v1::KeymanagerService::WithRawCallbackMethod_ImportKeystores<
    v1::KeymanagerService::WithRawCallbackMethod_DeleteKeystores<
    v1::KeymanagerService::WithRawCallbackMethod_ExportSigningRecords<
    v1::KeymanagerService::WithRawCallbackMethod_ImportSigningRecords<
    v1::KeymanagerService::Service>>>>>;
// clang-format on

// Thread-safe. The dispatcher, and what the context refers to, outlive the service.
class GrpcKeymanagerService final : public RawKeymanagerService {
 public:
  // Without a token the transport has asked every caller for a certificate.
  GrpcKeymanagerService(KeymanagerContext context, std::optional<AccessToken> token, rpc::Dispatcher& dispatcher)
      : requests_(std::move(context)), token_(std::move(token)), dispatcher_(dispatcher) {}

  grpc::ServerUnaryReactor* ListKeystores(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ImportKeystores(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* DeleteKeystores(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ExportSigningRecords(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ImportSigningRecords(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) override;

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response,
                                absl::StatusOr<Response> (KeymanagerRequests::*method)(const Request&));
  absl::Status CheckCaller(const grpc::CallbackServerContext& context) const;

  KeymanagerRequests requests_;
  const std::optional<AccessToken> token_;
  rpc::Dispatcher& dispatcher_;
};

}  // namespace lean::validator

#endif  // LEAN_VALIDATOR_CLIENT_KEYMANAGER_GRPC_KEYMANAGER_SERVICE_H_
