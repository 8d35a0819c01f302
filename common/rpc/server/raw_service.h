// A gRPC service as a table of handlers that receive requests as bytes.
#ifndef LEAN_COMMON_RPC_SERVER_RAW_SERVICE_H_
#define LEAN_COMMON_RPC_SERVER_RAW_SERVICE_H_

#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "common/certificates/role.h"
#include "common/rpc/server/caller_role.h"
#include "common/rpc/server/unary_call.h"
#include "common/status/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

namespace lean::rpc {

// Handles the methods of the generated service `Grpc`. The role of the caller is checked first; the dispatcher decides
// when a request is decoded. The type of a handler's request names its method: no two methods of `Grpc` have the same
// type of request.
template <typename Grpc>
class RawService : public Grpc::Service {
 protected:
  using RawCall = std::function<grpc::ServerUnaryReactor*(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request, grpc::ByteBuffer* response)>;

  // The dispatcher must outlive the service. `needed`: the role that callers with a certificate need.
  RawService(Dispatcher& dispatcher, Role needed) : dispatcher_(dispatcher), needed_(needed) {}

  using RawStream = std::function<grpc::ServerWriteReactor<grpc::ByteBuffer>*(grpc::CallbackServerContext* context,
                                                                              const grpc::ByteBuffer* request)>;

  // Sets the handler of the method with this request.
  template <typename Request>
  void Handle(RawCall call) {
    RawCall checked = [this, call = std::move(call)](grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
      RETURN_IF_ERROR(CheckRole(*context, needed_), dispatcher_.Refuse(context, *request, response, _));
      return call(context, request, response);
    };
    this->MarkMethodRawCallback(
        MethodOf<Request>(),
        new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(std::move(checked)));
  }
  // The same for a method that streams its answer. The handler must not block.
  template <typename Request>
  void HandleStream(RawStream call) {
    RawStream checked = [this, call = std::move(call)](grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) {
      RETURN_IF_ERROR(CheckRole(*context, needed_), dispatcher_.RefuseStream(*context, *request, _));
      return call(context, request);
    };
    this->MarkMethodRawCallback(
        MethodOf<Request>(),
        new grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>(std::move(checked)));
  }

  // A call that answers with `method` on a thread of the dispatcher. `object` must outlive the service.
  template <typename Object, typename Request, typename Response>
  RawCall Answer(const Object& object, absl::StatusOr<Response> (Object::*method)(const Request&) const) {
    return Dispatch<Request, Response>([&object, method](const Request& request) { return (object.*method)(request); });
  }
  template <typename Object, typename Request, typename Response>
  RawCall Answer(Object& object, absl::StatusOr<Response> (Object::*method)(const Request&)) {
    return Dispatch<Request, Response>([&object, method](const Request& request) { return (object.*method)(request); });
  }

  // Handle and Answer in one.
  template <typename Object, typename Request, typename Response>
  void Handle(const Object& object, absl::StatusOr<Response> (Object::*method)(const Request&) const) {
    Handle<Request>(Answer(object, method));
  }

  Dispatcher& dispatcher_;

 private:
  // The number of the method with this request.
  template <typename Request>
  static int MethodOf() {
    const google::protobuf::Descriptor* const request = Request::descriptor();
    const auto* const service = request->file()->pool()->FindServiceByName(Grpc::service_full_name());
    int method = 0;
    while (service->method(method)->input_type() != request) ++method;
    return method;
  }

  template <typename Request, typename Response, typename Function>
  RawCall Dispatch(Function function) {
    return [this, function](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                            grpc::ByteBuffer* response) {
      return dispatcher_.Run<Request, Response>(
          context, request, response,
          [function](const Request& decoded, const Reply<Response>& reply) { reply(function(decoded)); });
    };
  }

  const Role needed_;
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_RAW_SERVICE_H_
